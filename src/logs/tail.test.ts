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
