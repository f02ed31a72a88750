import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { LogFolder } from './log-file.cases.ts';
import { formatNanos } from './record.ts';

const START = 1_800_000_000n * 1_000_000_000n;
const MILLISECOND = 1_000_000n;

/** Writes records, one a millisecond, numbered from `first`. */
function writeNumbered(path: string, first: number, count: number, text = ''): void {
  const fd = openSync(path, 'w');
  let batch = '';
  for (let at = first; at < first + count; at++) {
    batch += `${formatNanos(START + BigInt(at) * MILLISECOND).slice(0, -1)}+00:00 stdout F ${at}${text}\n`;
    if (batch.length > 1024 * 1024 || at === first + count - 1) {
      writeSync(fd, batch);
      batch = '';
    }
  }
  closeSync(fd);
}

const at = (number: number) => START + BigInt(number) * MILLISECOND;

function numbers(text: string): number[] {
  return text === '' ? [] : text.trimEnd().split('\n').map(Number);
}

function bytesRead(): number {
  return Number(/^rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'latin1'))?.[1]);
}

test('since and until cut exactly, wherever the moment lies', async () => {
  using log = new LogFolder();
  writeNumbered(log.path, 0, 20_000);
  for (const from of [0, 1, 777, 9_999, 10_000, 19_998, 19_999]) {
    const found = numbers(await log.text({ since: at(from), until: at(from + 2) }));
    assert.deepEqual(
      found,
      [from, from + 1, from + 2].filter((number) => number < 20_000),
    );
  }
  assert.equal(numbers(await log.text({ since: at(-5) })).length, 20_000);
  assert.equal(await log.text({ since: at(20_000) }), '');
  assert.deepEqual(numbers(await log.text({ since: at(5) - 1n, until: at(5) })), [5]);
  assert.deepEqual(numbers(await log.text({ since: at(19_000), tail: 3 })), [19_997, 19_998, 19_999]);
  assert.deepEqual(numbers(await log.text({ since: at(19_998), tail: 1000 })), [19_998, 19_999]);
});

test('since goes over rotated and packed files, and unpacks no older ones', async () => {
  using log = new LogFolder();
  for (const index of [4, 3, 2, 1]) {
    writeNumbered(log.path, (4 - index) * 5000, 5000);
    if (index > 2) log.write(gzipSync(readFileSync(log.path)) as unknown as string, `.${index}.gz`);
    else renameSync(log.path, `${log.path}.${index}`);
  }
  writeNumbered(log.path, 20_000, 5000);
  for (const from of [0, 4999, 5000, 7500, 12_000, 14_999, 20_000, 24_999]) {
    const found = numbers(await log.text({ since: at(from) }));
    assert.deepEqual([found[0], found.length, found.at(-1)], [from, 25_000 - from, 24_999]);
  }
  // The two oldest could not be unpacked: nobody asks for what is in them.
  log.write('no gzip', '.4.gz');
  log.write('no gzip', '.3.gz');
  assert.equal(numbers(await log.text({ since: at(12_000) }))[0], 12_000);
  assert.equal(numbers(await log.text({ tail: 14_000 }))[0], 11_000);
  await assert.rejects(log.text({ since: at(9_000) }));
});

test('the last lines and those of a moment are sought in a log of 1 GB, which is not read', async () => {
  using log = new LogFolder();
  const [count, text] = [5_000_000, ` ${'x'.repeat(140)}`];
  writeNumbered(log.path, 0, count, text);
  const line = (number: number) => `${number}${text}\n`;
  const before = bytesRead();
  const tail = await log.text({ tail: 100 });
  assert.equal(tail, Array.from({ length: 100 }, (_, index) => line(count - 100 + index)).join(''));
  const middle = await log.text({ since: at(2_500_000), until: at(2_500_001) });
  assert.equal(middle, line(2_500_000) + line(2_500_001));
  const read = bytesRead() - before;
  assert.ok(read < 4 * 1024 * 1024, `${read} bytes of ${count * text.length} were read`);
});
