import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LogFolder } from './log-file.cases.ts';

describe('tail', () => {
  it('counts lines from the end, across files', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 2), '.1');
    log.write(log.lines(3, 3));
    assert.equal(await log.text({ tail: 2 }), '2\n3\n');
    assert.equal(await log.text({ tail: 0 }), '');
    assert.equal(await log.text({ tail: 3 }), '1\n2\n3\n');
    assert.equal(await log.text({ tail: 9 }), '1\n2\n3\n');
  });

  it('counts a line in pieces once, and one that has not ended too', async () => {
    using log = new LogFolder();
    const partial = { partial: true };
    log.write(
      log.record('a') +
        log.record('b1', partial) +
        log.record('b2', partial) +
        log.record('b3') +
        log.record('c1', partial) +
        log.record('c2', partial),
    );
    assert.equal(await log.text({ tail: 1 }), 'c1c2');
    assert.equal(await log.text({ tail: 2 }), 'b1b2b3\nc1c2');
    assert.equal(await log.text({ tail: 3 }), 'a\nb1b2b3\nc1c2');
  });

  it('follows a line in pieces into the file before', async () => {
    using log = new LogFolder();
    log.write(log.record('a') + log.record('b1', { partial: true }), '.1');
    log.write(log.record('b2') + log.record('c'));
    assert.equal(await log.text({ tail: 2 }), 'b1b2\nc\n');
    assert.equal(await log.text({ tail: 1 }), 'c\n');
  });

  it('does not count a torn line, nor what is no record', async () => {
    using log = new LogFolder();
    log.write(`${log.lines(1, 3)}nonsense\n2026-01`);
    assert.equal(await log.text({ tail: 1 }), '3\n');
    assert.equal(await log.text({ tail: 0 }), '');
  });

  it('finds every count in a log of many blocks', async () => {
    using log = new LogFolder();
    const texts: string[] = [];
    let all = '';
    for (let at = 0; at < 400; at++) {
      const text = `${at}-${'x'.repeat((at * 37) % 7000)}`;
      texts.push(`${text}\n`);
      all += log.record(text);
    }
    log.write(all);
    for (const count of [1, 2, 3, 50, 99, 100, 101, 250, 399, 400, 401]) {
      assert.equal(await log.text({ tail: count }), texts.slice(-count).join(''), `tail ${count}`);
    }
  });

  it('keeps the order of both streams', async () => {
    using log = new LogFolder();
    log.write(log.record('o1') + log.record('e1', { stderr: true }) + log.record('o2'));
    assert.equal(await log.text({ tail: 2 }), 'e1\no2\n');
    assert.equal(await log.text({ tail: 2, stderr: false }), 'o2\n');
  });
});

describe('tail at the borders of its blocks', () => {
  const BLOCK = 256 * 1024;
  const HEAD = 45;

  /** A record that is `size` bytes long in its file, newline included. */
  const sized = (log: LogFolder, size: number, letter: string) => log.record(letter.repeat(size - HEAD - 1));

  async function check(log: LogFolder, texts: string[]): Promise<void> {
    for (const tail of [0, 1, 2, 3, texts.length - 1, texts.length, texts.length + 1]) {
      const found = await log.text({ tail });
      assert.ok(found === texts.slice(Math.max(0, texts.length - tail)).join(''), `tail ${tail}`);
    }
  }

  for (const off of [-2, -1, 0, 1, 2]) {
    it(`a newline that stands ${off} bytes from a border hides no line`, async () => {
      using log = new LogFolder();
      const long = BLOCK / 4;
      const sizes = [long, long, long, 100, long, long, long, long + off];
      const letters = [...'abcdefgh'];
      log.write(sizes.map((size, at) => sized(log, size, letters[at] as string)).join(''));
      await check(
        log,
        sizes.map((size, at) => `${(letters[at] as string).repeat(size - HEAD - 1)}\n`),
      );
    });

    it(`a file ${off} bytes from one block, and from two, is searched to its first line`, async () => {
      for (const blocks of [1, 2]) {
        using log = new LogFolder();
        const rest = BLOCK * blocks + off;
        const sizes = Array.from({ length: 8 * blocks }, () => BLOCK / 8);
        sizes[0] = rest - (sizes.length - 1) * (BLOCK / 8);
        log.write(sizes.map((size) => sized(log, size, 'x')).join(''));
        await check(
          log,
          sizes.map((size) => `${'x'.repeat(size - HEAD - 1)}\n`),
        );
      }
    });

    it(`a line ${off} bytes from what a reader takes at a time comes whole, or not at all`, async () => {
      using log = new LogFolder();
      const size = BLOCK / 2 + off;
      log.write(log.record('before') + sized(log, size, 'y') + log.record('after'));
      const line = off > 0 ? '' : `${'y'.repeat(size - HEAD - 1)}\n`;
      assert.ok((await log.text()) === `before\n${line}after\n`);
      assert.ok((await log.text({ tail: 2 })) === `${line}after\n`);
    });
  }

  it('a torn line of any length behind the last one does not count', async () => {
    using log = new LogFolder();
    for (const torn of [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK]) {
      log.write(`${log.lines(1, 3)}${'t'.repeat(torn)}`);
      assert.equal(await log.text({ tail: 2 }), '2\n3\n', `torn after ${torn}`);
    }
  });

  it('many files of one short line each are counted through', async () => {
    using log = new LogFolder();
    for (let index = 12; index >= 1; index--) log.write(log.lines(13 - index, 13 - index), `.${index}`);
    log.write('');
    for (let tail = 0; tail <= 12; tail++) {
      const expected = Array.from({ length: tail }, (_, at) => `${13 - tail + at}\n`).join('');
      assert.equal(await log.text({ tail }), expected);
    }
  });
});
