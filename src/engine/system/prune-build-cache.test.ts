import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../base/index.ts';
import { pruneBuildCache } from './prune-build-cache.ts';

const PREFIX = 'failed to prune build cache: ';
const AGE = `filter expects a duration (e.g., '24h') or a timestamp: failed to parse value as time or duration: "x"`;

async function prune(filters: Record<string, string[]>) {
  const told: unknown[] = [];
  const events = { publish: (event: unknown) => void told.push(event) };
  const done = await pruneBuildCache({ clock: systemClock, events }, new Map(Object.entries(filters)));
  return { done, told };
}

test('an empty build cache is pruned for nothing, and that is told', async () => {
  for (const filters of [
    {},
    { until: ['24h'], label: ['a', 'b'], 'label!': ['c'] },
    { id: ['x'], parent: ['x'], type: ['regular'], description: ['x'] },
    { inuse: ['true'], shared: ['x'], private: [], 'unused-for': ['2026-01-01T00:00:00Z'] },
  ] as Record<string, string[]>[]) {
    assert.deepEqual(await prune(filters), {
      done: { deleted: [], spaceReclaimed: 0 },
      told: [{ type: 'builder', action: 'prune', id: '', attributes: { reclaimed: '0' } }],
    });
  }
});

test('filters of the build cache are refused with the texts of the reference', async () => {
  const rows: [Record<string, string[]>, string][] = [
    [{ foo: ['x'] }, "invalid filter 'foo'"],
    [{ parents: ['x'] }, "invalid filter 'parents'"],
    [{ until: ['x'] }, `"until" ${AGE}`],
    [{ 'unused-for': ['x'] }, `"unused-for" ${AGE}`],
    [{ until: ['1h', '2h'] }, 'filters expect only one value'],
    [{ type: ['a', 'b'] }, 'filters expect only one value'],
    [{ until: ['1h'], 'unused-for': ['1h'] }, 'conflicting filters: "until" and "unused-for"'],
  ];
  for (const [filters, why] of rows)
    await assert.rejects(prune(filters), { kind: 'invalid', message: PREFIX + why });
});
