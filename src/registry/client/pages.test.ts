import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextTarget } from './pages.ts';

test('the next page of a Link header, in the spellings that there are', () => {
  for (const header of [
    '</v2/a?n=1>; rel="next"',
    '</v2/a?n=1>;rel=next',
    '</v2/a?n=1>; title="x"; REL="Next"',
    '</v2/other>; rel="prev", </v2/a?n=1>; rel="next"',
  ])
    assert.equal(nextTarget(header), '/v2/a?n=1', header);
  for (const header of ['', '</v2/a>', '</v2/a>; rel="prev"', '/v2/a; rel="next"', '</v2/a, b>, rel="next"'])
    assert.equal(nextTarget(header), undefined, header);
});

test('a Link header that is made to be slow is not', () => {
  const pieces = ['<', '<>;', '<>;r', '<>; rel ', '> ', '<a> '];
  const took = (repeats: number) => {
    const began = performance.now();
    for (const piece of pieces) nextTarget(piece.repeat(repeats));
    return performance.now() - began;
  };
  took(1000);
  // A hundred times the length takes ten thousand times as long where time grows with its square.
  const [short, long] = [took(4_000), took(400_000)];
  assert.ok(long < Math.max(short, 0.1) * 2_000, `${short} ms and ${long} ms`);
});
