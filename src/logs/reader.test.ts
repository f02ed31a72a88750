import assert from 'node:assert/strict';
import { readdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { LogFolder } from './log-file.cases.ts';
import { openLogReader } from './reader.ts';

/** A follower whose end the test decides. */
function following(log: LogFolder) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen: string[] = [];
  let told: (() => void) | undefined;
  const done = (async () => {
    const query = { stdout: true, stderr: true, follow: { ended: promise } };
    for await (const { data } of openLogReader().read(log.path, query, new AbortController().signal)) {
      seen.push(data.toString());
      told?.();
    }
  })();
  const until = async (count: number) => {
    while (seen.length < count) await new Promise<void>((resolve) => (told = resolve));
  };
  return { seen, until, end: resolve, done };
}

describe('a whole log', () => {
  it('puts rotated files first, joins pieces, keeps NUL, and leaves a torn last line out', async () => {
    using log = new LogFolder();
    log.write(log.record('one'), '.1');
    const rest = log.record('tw', { partial: true }) + log.record('o\0');
    log.write(`${rest}2026-01-02T03`);
    assert.equal(await log.text(), 'one\ntwo\0\n');
    assert.equal(await log.text({ stdout: false }), '');
  });

  it('passes over what is no record', async () => {
    using log = new LogFolder();
    log.write(`garbage\n\n${log.record('good')}${'x'.repeat(200)}\n${log.record('too')}`);
    assert.equal(await log.text(), 'good\ntoo\n');
  });

  it('gives back long lines, in pieces and of one block after the other, byte for byte', async () => {
    using log = new LogFolder();
    let written = '';
    let expected = '';
    for (let at = 0; at < 120; at++) {
      const piece = String.fromCharCode(97 + (at % 26)).repeat(8000 + at);
      const partial = at % 7 !== 6;
      written += log.record(piece, { partial });
      expected += partial ? piece : `${piece}\n`;
    }
    log.write(written);
    assert.equal(await log.text(), expected);
  });

  it('survives a line longer than any block', async () => {
    using log = new LogFolder();
    log.write(`${'z'.repeat(400_000)}\n${log.record('after')}`);
    assert.match(await log.text(), /after\n$/);
  });

  it('reads packed files, whichever are', async () => {
    using log = new LogFolder();
    writeFileSync(`${log.path}.3.gz`, gzipSync(log.lines(1, 3)));
    writeFileSync(`${log.path}.2.gz`, gzipSync(log.lines(4, 5)));
    log.write(log.lines(6, 6), '.1');
    log.write(log.lines(7, 8));
    assert.equal(await log.text(), '1\n2\n3\n4\n5\n6\n7\n8\n');
    assert.equal(await log.text({ tail: 4 }), '5\n6\n7\n8\n');
    assert.deepEqual(readdirSync(log.directory).length, 4, 'nothing unpacked stays');
  });

  it('reads a file once that is there both plain and packed', async () => {
    using log = new LogFolder();
    const old = log.lines(1, 2);
    log.write(old, '.1');
    writeFileSync(`${log.path}.1.gz`, gzipSync(old));
    log.write(log.lines(3, 3));
    assert.equal(await log.text(), '1\n2\n3\n');
  });

  it('is empty without a file, and without a folder', async () => {
    using log = new LogFolder();
    assert.equal(await log.text(), '');
    for await (const _ of openLogReader().read(
      `${log.directory}/none/x`,
      { stdout: true, stderr: true },
      new AbortController().signal,
    ))
      assert.fail();
  });
});

describe('since and until', () => {
  const second = (at: number) => BigInt(Date.UTC(2026, 0, 2, 3, 4, at)) * 1_000_000n;

  it('bound the records, to the nanosecond', async () => {
    using log = new LogFolder();
    log.write(log.lines(0, 4));
    assert.equal(await log.text({ since: second(2), until: second(2) + 5n }), '2\n');
    assert.equal(await log.text({ since: second(2) + 1n, until: second(3) }), '2\n');
    assert.equal(await log.text({ since: second(2) + 2n, until: second(3) + 1n }), '3\n');
    assert.equal(await log.text({ since: -1n }), '0\n1\n2\n3\n4\n');
    assert.equal(await log.text({ until: 0n }), '');
  });

  it('know zones', async () => {
    using log = new LogFolder();
    log.write(
      log.record('east', { zone: '+02:00' }) + log.record('utc') + log.record('west', { zone: '-01:00' }),
    );
    assert.equal(await log.text({ since: second(0) }), 'utc\nwest\n');
    const stamped = (await log.encoded({}, { timestamps: true })).toString().split('\n');
    assert.equal(stamped[0], '2026-01-02T01:04:00.000000001Z east');
    assert.equal(stamped[2], '2026-01-02T04:04:02.000000001Z west');
  });

  it('end a follow', async () => {
    using log = new LogFolder();
    log.write(log.lines(0, 3));
    const forever = { ended: new Promise(() => {}) };
    assert.equal(await log.text({ until: second(1) + 1n, follow: forever }), '0\n1\n');
  });
});

describe('following', () => {
  it('sees what is appended, torn lines when they are whole, and ends with the container', async () => {
    using log = new LogFolder();
    log.write(log.record('one'));
    const follower = following(log);
    await follower.until(1);
    const two = log.record('two');
    log.append(two.slice(0, 20));
    log.append(two.slice(20));
    await follower.until(2);
    log.append(log.record('last words'));
    follower.end();
    await follower.done;
    assert.deepEqual(follower.seen, ['one\n', 'two\n', 'last words\n']);
  });

  it('goes on across rotations, also when what it reads is already deleted', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 2));
    const follower = following(log);
    await follower.until(2);
    for (let at = 3; at < 40; at += 2) {
      log.append(log.record(String(at)));
      log.rotate();
      unlinkSync(`${log.path}.1`);
      log.append(log.record(String(at + 1)));
      await follower.until(at + 1);
    }
    follower.end();
    await follower.done;
    assert.deepEqual(
      follower.seen,
      Array.from({ length: 40 }, (_, at) => `${at + 1}\n`),
    );
  });

  it('waits for a log that does not exist yet', async () => {
    using log = new LogFolder();
    const follower = following(log);
    log.write(log.record('first'));
    await follower.until(1);
    follower.end();
    await follower.done;
  });

  it('fails by itself, not by an event nobody catches, when a new file cannot be opened', async () => {
    using log = new LogFolder();
    log.write(log.record('one'));
    const follower = following(log);
    await follower.until(1);
    symlinkSync(`${log.path}.1`, `${log.path}.1`);
    await assert.rejects(follower.done, { code: 'ELOOP' });
  });

  it('stops at the signal', async () => {
    using log = new LogFolder();
    log.write(log.record('one'));
    const stop = new AbortController();
    const reading = log.text({ follow: { ended: new Promise(() => {}) } }, stop.signal);
    setImmediate(() => stop.abort());
    assert.match(await reading, /^(one\n)?$/);
  });

  it('takes a tail first', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 9));
    assert.equal(await log.text({ tail: 1, follow: { ended: Promise.resolve() } }), '9\n');
  });
});

describe('removing', () => {
  it('takes the log, its rotated and its unfinished files, and nothing else', async () => {
    using log = new LogFolder();
    for (const suffix of ['', '.1', '.2.gz', '.tmp', '.packing']) log.write('x', suffix);
    writeFileSync(`${log.directory}/hostname`, 'x');
    writeFileSync(`${log.path}.old`, 'x');
    await openLogReader().remove(log.path);
    assert.deepEqual(readdirSync(log.directory).sort(), ['c.log.old', 'hostname']);
    await openLogReader().remove(log.path);
  });
});
