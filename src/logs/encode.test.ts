import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LogFolder } from './log-file.cases.ts';

/** Frames of a multiplexed stream, as `1:text`. */
function frames(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at + 4);
    assert.deepEqual([...bytes.subarray(at + 1, at + 4)], [0, 0, 0]);
    found.push(`${bytes[at]}:${bytes.toString('latin1', at + 8, at + 8 + size)}`);
    at += 8 + size;
  }
  return found;
}

describe('encoding', () => {
  it('makes a frame of each record', async () => {
    using log = new LogFolder();
    log.write(log.record('a') + log.record('b', { stderr: true }) + log.record('', {}));
    assert.deepEqual(frames(await log.encoded({}, { framed: true })), ['1:a\n', '2:b\n', '1:\n']);
    const one = { framed: true };
    assert.deepEqual(frames(await log.encoded({ stdout: false }, one)), ['2:b\n']);
  });

  it('writes the length of large frames right', async () => {
    using log = new LogFolder();
    const text = 'y'.repeat(70_000);
    log.write(log.record(text));
    assert.deepEqual(frames(await log.encoded({}, { framed: true })), [`1:${text}\n`]);
  });

  it('puts time and details before lines, not before their later pieces', async () => {
    using log = new LogFolder();
    log.write(
      log.record('lo', { partial: true }) +
        log.record('e', { stderr: true }) +
        log.record('n', { partial: true }) +
        log.record('g') +
        log.record('next'),
    );
    const form = { framed: true, timestamps: true, details: 'a=b,c=d ' };
    const stamp = (second: number) => `2026-01-02T03:04:0${second}.000000001Z a=b,c=d `;
    assert.deepEqual(frames(await log.encoded({}, form)), [
      `1:${stamp(0)}lo`,
      `2:${stamp(1)}e\n`,
      '1:n',
      '1:g\n',
      `1:${stamp(4)}next\n`,
    ]);
  });

  it('finds room for details longer than the lines', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 3000));
    const details = `${'k='.padEnd(700, 'v')} `;
    const found = frames(await log.encoded({}, { framed: true, timestamps: true, details }));
    assert.equal(found.length, 3000);
    assert.ok(found.every((one, at) => one.endsWith(` ${details}${at + 1}\n`)));
  });

  it('keeps many lines in order', async () => {
    using log = new LogFolder();
    const total = 100_000;
    log.write(log.lines(1, total));
    const found = frames(await log.encoded({}, { framed: true }));
    assert.equal(found.length, total);
    assert.ok(found.every((one, at) => one === `1:${at + 1}\n`));
  });
});
