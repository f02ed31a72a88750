import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf } from '../../oci/index.ts';
import { matchesDigest, parseContentRange, parseRange } from './range.ts';

describe('ranges of answers', () => {
  it('every range of a small body agrees with the bytes it names', () => {
    for (let size = 0; size <= 6; size += 1) {
      for (let first = 0; first <= 8; first += 1) {
        const open = parseRange(`bytes=${first}-`, size);
        assert.deepEqual(open, first < size ? { start: first, end: size - 1 } : 'unsatisfiable');
        for (let last = 0; last <= 8; last += 1) {
          const found = parseRange(`bytes=${first}-${last}`, size);
          if (last < first) assert.equal(found, undefined);
          else if (first >= size) assert.equal(found, 'unsatisfiable');
          else assert.deepEqual(found, { start: first, end: Math.min(last, size - 1) });
        }
        const tail = parseRange(`bytes=-${first}`, size);
        const length = Math.min(first, size);
        assert.deepEqual(tail, length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 });
      }
    }
  });

  it('what is no single range of bytes is passed over', () => {
    for (const header of [
      '',
      'bytes',
      'bytes=',
      'bytes=-',
      'bytes=x-1',
      'bytes=1-2,4-5',
      'items=1-2',
      'bytes=0x1-2',
      'bytes=+1-2',
      'bytes= 1-2',
    ])
      assert.equal(parseRange(header, 10), undefined, header);
    assert.deepEqual(parseRange('  bytes=1-2 ', 10), { start: 1, end: 2 });
  });
});

describe('ranges of pieces', () => {
  it('in the form of the specification and of RFC 9110', () => {
    for (const header of ['5-9', 'bytes 5-9/10', 'bytes 5-9/*', 'bytes=5-9', ' 5-9 '])
      assert.deepEqual(parseContentRange(header), { start: 5, end: 9 }, header);
    for (const header of [
      '',
      '5',
      '5-',
      '-9',
      '9-5',
      'a-b',
      '5-9-',
      '5--9',
      'bytes */10',
      `1-${'9'.repeat(16)}`,
    ])
      assert.equal(parseContentRange(header), undefined, header);
  });
});

describe('conditions', () => {
  it('name a digest in quotes, weak, bare, in a list, or any', () => {
    const digest = digestOf('x');
    for (const header of [`"${digest}"`, `W/"${digest}"`, digest, `"a" , "${digest}"`, '*'])
      assert.equal(matchesDigest(header, digest), true, header);
    for (const header of [undefined, '', '""', `"${digest}`, `"${digestOf('y')}"`])
      assert.equal(matchesDigest(header, digest), false, String(header));
  });
});
