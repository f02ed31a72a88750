import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { silentLog } from '../base/index.ts';
import { continuedStreams, copyContinuation, noteContinuation } from './continued.ts';
import { LogFolder } from './log-file.cases.ts';
import { until } from './log-server.cases.ts';
import { openLogReader } from './reader.ts';
import { openLogRotator } from './rotation.ts';

function noted(path: string): string[] {
  if (!existsSync(path)) return [];
  const fd = openSync(path, 'r');
  try {
    return continuedStreams(fd);
  } finally {
    closeSync(fd);
  }
}

/** Notes at a file that holds `rest` what a file before it, which is then gone, left open. */
function begin(log: LogFolder, before: string, rest: string): void {
  const gone = `${log.path}.gone`;
  writeFileSync(gone, before);
  log.write(rest);
  noteContinuation(gone, log.path);
  renameSync(gone, `${log.directory}/other`);
}

describe('what is noted at a file', () => {
  it('are the streams whose last line was not at its end', () => {
    using log = new LogFolder();
    const out = log.record('out', { partial: true });
    const err = log.record('err', { partial: true, stderr: true });
    const whole = log.record('whole');
    for (const [before, streams] of [
      ['', []],
      [whole, []],
      [out, ['stdout']],
      [out + err, ['stdout', 'stderr']],
      [out + err + whole, ['stderr']],
      [whole.repeat(5000) + out, ['stdout']],
      ['nonsense\n', []],
    ] as const) {
      begin(log, before, '');
      assert.deepEqual(noted(log.path), streams);
      writeFileSync(`${log.path}.tmp`, '');
      renameSync(`${log.path}.tmp`, log.path);
    }
  });

  it('goes over to another file', () => {
    using log = new LogFolder();
    begin(log, log.record('a', { partial: true }), '');
    log.write('', '.1.gz');
    copyContinuation(log.path, `${log.path}.1.gz`);
    assert.deepEqual(noted(`${log.path}.1.gz`), ['stdout']);
    log.write('', '.2');
    copyContinuation(`${log.path}.2`, log.path);
    assert.deepEqual(noted(log.path), ['stdout']);
  });
});

describe('a note that can not be made', () => {
  it('is left out', () => {
    using log = new LogFolder();
    noteContinuation(`${log.path}.gone`, log.path);
    log.write(log.record('a', { partial: true }));
    noteContinuation(log.path, `${log.path}.gone`);
    assert.deepEqual(noted(log.path), []);
  });
});

describe('a log whose oldest file begins in the middle of a line', () => {
  const half = (log: LogFolder) => log.record('be', { partial: true });

  it('is read without that half', async () => {
    using log = new LogFolder();
    begin(log, half(log), log.record('gin') + log.lines(1, 3));
    assert.equal(await log.text(), '1\n2\n3\n');
    assert.equal(await log.text({ tail: 4 }), '1\n2\n3\n');
    assert.equal(await log.text({ tail: 2 }), '2\n3\n');
    const found: string[] = [];
    const query = { stdout: true, stderr: true };
    for await (const { data } of openLogReader().read(log.path, query, new AbortController().signal))
      found.push(data.toString());
    assert.deepEqual(found, ['1\n', '2\n', '3\n']);
  });

  it('is read without any of its pieces, and with what the other stream has between them', async () => {
    using log = new LogFolder();
    const pieces = half(log) + log.record('err', { stderr: true }) + half(log) + log.record('end');
    begin(log, half(log), pieces + log.lines(1, 2));
    assert.equal(await log.text(), 'err\n1\n2\n');
    assert.equal(await log.text({ stdout: false }), 'err\n');
  });

  it('is read whole as long as the file before is there', async () => {
    using log = new LogFolder();
    log.write(log.lines(1, 2) + half(log));
    log.rotate();
    noteContinuation(`${log.path}.1`, log.path);
    log.append(log.record('gin') + log.lines(3, 3));
    assert.equal(await log.text(), '1\n2\nbegin\n3\n');
    assert.equal(await log.text({ tail: 2 }), 'begin\n3\n');
  });

  it('is what rotation makes, packed or not', async () => {
    for (const compress of [false, true]) {
      using log = new LogFolder();
      log.write('');
      const reopen = async () => {
        writeFileSync(`${log.path}.tmp`, '');
        renameSync(`${log.path}.tmp`, log.path);
      };
      const policy = { maxBytes: 500, maxFiles: 2, compress };
      const kept = openLogRotator(silentLog).watch(log.path, policy, reopen);
      const rotated = `${log.path}.1${compress ? '.gz' : ''}`;
      log.append(log.lines(1, 10) + half(log));
      await until(() => existsSync(rotated) && noted(log.path).length === 1);
      log.append(log.record('gin') + log.lines(11, 20) + half(log));
      await until(() => existsSync(rotated) && noted(rotated).length === 1 && noted(log.path).length === 1);
      await kept.close();
      log.append(log.record('gin') + log.record('last'));
      const kept2 = Array.from({ length: 10 }, (_, at) => `${at + 11}\n`).join('');
      assert.equal(await log.text(), `${kept2}begin\nlast\n`, readdirSync(log.directory).join());
    }
  });
});
