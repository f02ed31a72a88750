import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseCpuSet } from './cpu-set.ts';

it('lists and ranges become numbers, each once', () => {
  const cases: [string, number[]][] = [
    ['0', [0]],
    ['0,1', [0, 1]],
    ['1,0,1', [1, 0]],
    ['2-4', [2, 3, 4]],
    ['3-3', [3]],
    ['0-1,1-2', [0, 1, 2]],
    ['007', [7]],
    ['8191', [8191]],
  ];
  for (const [text, expected] of cases) assert.deepEqual([...(parseCpuSet(text) ?? [])], expected, text);
  assert.equal(parseCpuSet('0-8191')?.size, 8192);
});

it('what is neither is nothing, and a great range costs nothing', () => {
  const bad = ['', ',', '0,', ',0', '-', '0-', '-1', '1-0', '0--1', '0-1-2', '0.5', '1e3', '+1', '0 1', '٣'];
  for (const text of [...bad, '8192', '0-8192', '0-99999', '12345', '0;1', '0x0', 'all', 'NaN'])
    assert.equal(parseCpuSet(text), undefined, text);
});
