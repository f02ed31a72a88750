import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countLoaded, type ProgressLine, reportLines } from './progress.ts';
import { collect } from './test-fixture.ts';

test('lines come while the work runs, and all of them before its failure', async () => {
  const step = Promise.withResolvers<void>();
  const lines = reportLines(async (report) => {
    report({ at: 1 });
    await step.promise;
    report({ at: 2 });
    report({ at: 3 });
    throw new Error('then it broke');
  })[Symbol.asyncIterator]();
  assert.deepEqual((await lines.next()).value, { at: 1 });
  step.resolve();
  assert.deepEqual((await lines.next()).value, { at: 2 });
  assert.deepEqual((await lines.next()).value, { at: 3 });
  await assert.rejects(lines.next(), /then it broke/);
});

test('who stops reading waits for the work to end, and its failure is nobody’s', async () => {
  const step = Promise.withResolvers<void>();
  let ended = false;
  const lines = reportLines(async (report) => {
    report({ at: 1 });
    await step.promise;
    ended = true;
    throw new Error('unheard');
  })[Symbol.asyncIterator]();
  await lines.next();
  const left = lines.return?.();
  step.resolve();
  await left;
  assert.ok(ended);
});

test('for a client that does not keep up the newest counts wait, and every status', async () => {
  const lines = await collect(
    reportLines(async (report) => {
      for (let at = 1; at <= 100_000; at++) {
        const id = `layer${at % 3}`;
        report({ status: 'Downloading', progressDetail: { current: at }, progress: String(at), id });
        if (at % 25_000 === 0) report({ status: 'Verifying Checksum', progressDetail: {}, id });
      }
    }),
  );
  assert.ok(lines.length < 300, `${lines.length} lines wait`);
  assert.equal(lines.filter(({ status }) => status === 'Verifying Checksum').length, 4);
  const last = (id: string) => lines.findLast((line) => line['id'] === id && line['progress'])?.['progress'];
  assert.deepEqual(['layer0', 'layer1', 'layer2'].map(last), ['99999', '100000', '99998']);
  // No count stands behind the status that came after it, or before the one it replaced.
  for (const id of ['layer0', 'layer1', 'layer2']) {
    const counts = lines
      .filter((line) => line['id'] === id && line['progress'])
      .map((line) => Number(line['progress']));
    assert.deepEqual(
      counts,
      [...counts].sort((one, other) => one - other),
    );
  }
});

test('work without lines is no lines', async () => {
  assert.deepEqual(await collect(reportLines(async () => {})), []);
});

async function* chunks(...sizes: number[]): AsyncIterable<Uint8Array> {
  for (const size of sizes) yield Buffer.alloc(size);
}

async function counted(total: number, ...sizes: number[]): Promise<ProgressLine[]> {
  const lines: ProgressLine[] = [];
  const layer = { diffId: `sha256:${'ab'.repeat(32)}`, total };
  const passed = await collect(countLoaded(chunks(...sizes), layer, (line) => lines.push(line)));
  assert.deepEqual(
    passed.map((chunk) => chunk.length),
    sizes,
  );
  return lines;
}

test('a layer is reported at its start, at steps, and at its end', async () => {
  const lines = await counted(9_011_200, 98_304, 300_000, 400_000, 8_212_896);
  assert.deepEqual(
    lines.map((line) => (line['progressDetail'] as { current: number }).current),
    [98_304, 798_304, 9_011_200],
  );
  assert.deepEqual(lines[0], {
    status: 'Loading layer',
    progressDetail: { current: 98_304, total: 9_011_200 },
    progress: `[>${' '.repeat(50)}]   98.3kB/9.011MB`,
    id: 'abababababab',
  });
  assert.equal(lines[2]?.['progress'], `[${'='.repeat(50)}>]  9.011MB/9.011MB`);
});

test('an empty layer is reported once', async () => {
  const lines = await counted(0);
  assert.deepEqual(
    lines.map((line) => line['progressDetail']),
    [{ current: 0, total: 0 }],
  );
});

test('sizes have four digits and a decimal unit', async () => {
  const [line] = await counted(10_240, 10_240);
  assert.equal(line?.['progress'], `[${'='.repeat(50)}>]  10.24kB/10.24kB`);
  const [half] = await counted(2000, 999, 1001);
  assert.equal(half?.['progress'], `[${'='.repeat(24)}>${' '.repeat(26)}]     999B/2kB`);
});
