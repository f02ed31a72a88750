import assert from 'node:assert/strict';
import { readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { identityOf } from '../files.ts';
import { LogFolder } from '../log-file.cases.ts';
import { Assembler } from './assemble.ts';
import { countRecords, newlines } from './count.ts';
import { PositionFile, positionPath } from './position.ts';
import { Spool } from './spool.ts';

const identity = (path: string) => identityOf(statSync(path, { bigint: true }));

describe('a position', () => {
  const position = { identity: '12 34567890123456789', offset: 99, lostRecords: 3, lostBytes: 444 };

  it('is what was written last, in as many bytes as the first', () => {
    using log = new LogFolder();
    {
      using file = new PositionFile(log.path);
      assert.equal(file.read(), undefined);
      file.write({ ...position, offset: 123_456_789_012 });
      const { size } = statSync(positionPath(log.path));
      file.write(position);
      assert.equal(statSync(positionPath(log.path)).size, size);
    }
    using again = new PositionFile(log.path);
    assert.deepEqual(again.read(), position);
  });

  it('that was cut off or is nonsense is none', () => {
    using log = new LogFolder();
    {
      using file = new PositionFile(log.path);
      file.write(position);
    }
    const whole = readFileSync(positionPath(log.path), 'latin1');
    for (const bad of ['', 'x', whole.slice(0, 20), whole.replace('99', '9x'), whole.slice(0, -1)]) {
      writeFileSync(positionPath(log.path), bad);
      using file = new PositionFile(log.path);
      assert.equal(file.read(), undefined, JSON.stringify(bad));
    }
  });
});

/** Everything that a spool has now, as the lines' texts. */
async function drain(spool: Spool): Promise<string[]> {
  const lines: string[] = [];
  const assembler = new Assembler();
  for (;;) {
    const block = await spool.next();
    if (!block) return lines;
    const bytes = Buffer.from(block.buffer.subarray(0, block.length));
    lines.push(...assembler.take(bytes, block.offset).map(({ line }) => line.toString()));
    spool.advance(block.length);
  }
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => String(from + at));

describe('a spool', () => {
  it('is read over its files, rotated and packed ones, from the oldest on', async () => {
    using log = new LogFolder();
    log.write(gzipSync(log.lines(1, 10)) as unknown as string, '.2.gz');
    log.write(log.lines(11, 20), '.1');
    log.write(log.lines(21, 30));
    using spool = new Spool(log.path, undefined);
    assert.deepEqual(await drain(spool), numbers(1, 30));
    assert.equal(spool.backlog(), 0);
    log.append(log.lines(31, 31));
    assert.deepEqual(await drain(spool), ['31']);
  });

  it('goes on behind a rotation that comes while it is read', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 5));
    using spool = new Spool(log.path, undefined);
    assert.deepEqual(await drain(spool), numbers(1, 5));
    log.append(log.lines(6, 8));
    log.rotate();
    log.append(log.lines(9, 10));
    assert.equal(spool.needs(identity(`${log.path}.1`)), true);
    assert.deepEqual(await drain(spool), numbers(6, 10));
    assert.equal(spool.needs(identity(`${log.path}.1`)), false, 'what is read is needed no more');
    assert.equal(spool.needs(identity(log.path)), true);
  });

  it('begins at a place, also when that file was renamed since', async () => {
    using log = new LogFolder();
    const first = log.lines(1, 4);
    log.write(first + log.lines(5, 6));
    const place = { identity: identity(log.path), offset: first.length };
    log.rotate();
    log.append(log.lines(7, 7));
    using spool = new Spool(log.path, place);
    assert.deepEqual(spool.place, place);
    assert.deepEqual(await drain(spool), ['5', '6', '7']);
  });

  it('begins with the oldest that there is when the place is gone', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 2), '.1');
    log.write(log.lines(3, 4));
    using spool = new Spool(log.path, { identity: '1 1', offset: 10 });
    assert.deepEqual(await drain(spool), numbers(1, 4));
  });

  it('waits for a log that is not there yet, and for the end of a line', async () => {
    using log = new LogFolder();
    using spool = new Spool(log.path, undefined);
    assert.equal(spool.place, undefined);
    assert.deepEqual(await drain(spool), []);
    const record = log.record('whole');
    log.write(record.slice(0, -1));
    assert.deepEqual(await drain(spool), []);
    log.append('\n');
    assert.deepEqual(await drain(spool), ['whole']);
  });

  it('passes over a torn end of a file that was left', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 2) + log.record('torn').slice(0, 48));
    using spool = new Spool(log.path, undefined);
    assert.deepEqual(await drain(spool), ['1', '2']);
    log.rotate();
    log.append(log.lines(3, 3));
    assert.deepEqual(await drain(spool), ['3']);
  });

  it('leaves what is given up, and says where the unread part begins', async () => {
    using log = new LogFolder();
    const first = log.lines(1, 3);
    log.write(first);
    using spool = new Spool(log.path, undefined);
    await drain(spool);
    log.append(log.lines(4, 9));
    const old = identity(log.path);
    log.rotate();
    log.append(log.lines(10, 11));
    assert.deepEqual(spool.giveUp(old), { from: first.length });
    assert.deepEqual(await countRecords(log.path, old, first.length), {
      records: 6,
      bytes: statSync(`${log.path}.1`).size - first.length,
    });
    unlinkSync(`${log.path}.1`);
    assert.deepEqual(await drain(spool), ['10', '11']);
    assert.deepEqual(spool.giveUp('another'), { from: 0 });
  });

  it('knows how much is waiting in all files', () => {
    using log = new LogFolder();
    const [one, two] = [log.lines(1, 10), log.lines(11, 15)];
    log.write(one, '.1');
    log.write(two);
    using spool = new Spool(log.path, { identity: identity(`${log.path}.1`), offset: 51 });
    assert.equal(spool.backlog(), one.length - 51 + two.length);
  });
});

describe('counting', () => {
  it('finds the file by what it is, wherever its name went', async () => {
    using log = new LogFolder();
    const text = log.lines(1, 500);
    log.write(text);
    const wanted = identity(log.path);
    renameSync(log.path, `${log.path}.3`);
    log.write(log.lines(501, 502));
    assert.deepEqual(await countRecords(log.path, wanted, 0), { records: 500, bytes: text.length });
    assert.deepEqual(await countRecords(log.path, '1 1', 0), { records: 0, bytes: 0 });
    assert.equal(newlines(Buffer.from('a\nb\n\nc')), 3);
  });
});

describe('entries', () => {
  const take = (text: string, assembler = new Assembler()) => assembler.take(Buffer.from(text), 0);

  it('have time, stream and the text without its newline', () => {
    using log = new LogFolder();
    const [out, error] = take(log.record('one') + log.record('two', { stderr: true }));
    assert.deepEqual([out?.stream, out?.line.toString(), out?.partial], ['stdout', 'one', undefined]);
    assert.deepEqual([error?.stream, error?.line.toString()], ['stderr', 'two']);
    assert.equal((error?.time ?? 0n) - (out?.time ?? 0n), 1_000_000_000n);
  });

  it('are cut at 16 KiB, and say which pieces belong together', () => {
    using log = new LogFolder();
    const piece = log.record('x'.repeat(8192), { partial: true });
    const cut = take(piece + piece + piece + piece + log.record('end'));
    assert.deepEqual(
      cut.map(({ line, partial }) => [line.length, partial?.ordinal, partial?.last]),
      [
        [16_384, 1, false],
        [16_384, 2, false],
        [3, 3, true],
      ],
    );
    assert.equal(new Set(cut.map(({ partial }) => partial?.id)).size, 1);
  });

  it('of a line that goes on in the next block keep its id', () => {
    using log = new LogFolder();
    const assembler = new Assembler();
    const [first] = take(log.record('abc', { partial: true }), assembler);
    const [second] = take(log.record('def'), assembler);
    assert.deepEqual([first?.partial?.last, second?.partial?.last], [false, true]);
    assert.equal(first?.partial?.id, second?.partial?.id);
    assert.equal(take(log.record('next'), assembler)[0]?.partial, undefined);
  });

  it('of two streams are kept apart, and nonsense is passed over', () => {
    using log = new LogFolder();
    const text =
      log.record('a', { partial: true }) +
      log.record('x', { partial: true, stderr: true }) +
      log.record('b') +
      'nonsense\n' +
      log.record('y', { stderr: true });
    assert.deepEqual(
      take(text).map(({ stream, line }) => [stream, line.toString()]),
      [
        ['stdout', 'ab'],
        ['stderr', 'xy'],
      ],
    );
  });

  it('of a torn line are two', () => {
    using log = new LogFolder();
    const torn = log.record('z'.repeat(3000)).slice(0, 1024);
    assert.deepEqual(
      take(torn + log.record('next')).map(({ line }) => line.length),
      [1024 - 45, 4],
    );
  });
});
