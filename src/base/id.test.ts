import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newId, shortId } from './id.ts';

it('makes distinct ids of 64 lower-case hexadecimal digits', () => {
  const ids = Array.from({ length: 3000 }, newId);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) {
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.doesNotMatch(id.slice(0, 12), /^\d+$/);
  }
});

it('shortens ids and digests', () => {
  const id = newId();
  assert.equal(shortId(id), id.slice(0, 12));
  assert.equal(shortId(`sha256:${id}`), id.slice(0, 12));
});
