import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogFolder } from './log-file.cases.ts';
import { mended, tearIn } from './tear.ts';

/** A log of whole records whose bytes end at a multiple of 1024 in the middle of a record, and what came then. */
function tornLog(log: LogFolder, blocks: number): string {
  let text = '';
  while (text.length < blocks * 1024) text += log.record(`line ${text.length}`);
  return text.slice(0, blocks * 1024);
}

test('a record that was cut off by a full disk does not swallow the next one', async () => {
  for (const blocks of [1, 4, 127, 128, 129, 300]) {
    using log = new LogFolder();
    log.write(tornLog(log, blocks));
    log.append(log.record('after') + log.record('last'));
    const lines = (await log.text()).trimEnd().split('\n');
    assert.deepEqual(lines.slice(-2), ['after', 'last']);
    for (const line of lines.slice(0, -3)) assert.match(line, /^line \d+$/);
    assert.equal(await log.text({ tail: 1 }), 'last\n');
    assert.equal(await log.text({ tail: 2 }), 'after\nlast\n');
    const three = await log.text({ tail: 3 });
    assert.match(three, /^(li?n?e? ?\d*|)\n?after\nlast\n$/);
  }
});

test('of a record whose beginning alone was kept, nothing is shown', async () => {
  using log = new LogFolder();
  const fill = 'y'.repeat(1024 - 46 - 30);
  const padded = log.record(fill) + log.record('gone').slice(0, 30);
  assert.equal(padded.length, 1024);
  log.write(padded + log.record('whole'));
  assert.equal(await log.text(), `${fill}\nwhole\n`);
});

test('several tears in one block are read', async () => {
  using log = new LogFolder();
  let text = '';
  for (let at = 0; at < 3; at++) text += log.record('t'.repeat(2000)).slice(0, 1024);
  log.write(text + log.record('whole'));
  const piece = 't'.repeat(1024 - 45);
  assert.equal(await log.text(), `${piece}\n${piece}\n${piece}\nwhole\n`);
});

test('what a container prints in the form of a record stays its text', () => {
  using log = new LogFolder();
  const older = log.record('of another log').trimEnd();
  const head = log.record('').trimEnd();
  const line = `${head} ${'z'.repeat(1024 - head.length - 1)}${older}\n`;
  const buffer = Buffer.from(line);
  assert.equal(tearIn(buffer, 0, buffer.length, 0), -1);
  assert.deepEqual(mended(buffer, buffer.length, 0), [buffer]);
});
