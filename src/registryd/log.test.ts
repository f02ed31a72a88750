import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { WharfError } from '../base/index.ts';
import { jsonLog } from './log.ts';

let dir: string;
let fd: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wharf-registry-log-'));
  fd = openSync(join(dir, 'log'), 'w');
});
afterEach(() => {
  closeSync(fd);
  rmSync(dir, { recursive: true, force: true });
});

const lines = () =>
  readFileSync(join(dir, 'log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('the log of the registry', () => {
  it('is one JSON object a line, whatever stands in a field', () => {
    const log = jsonLog(fd, false);
    log.info('first', { name: 'a\n{"level":"error"}', size: 5n, list: [1] });
    log.warn('second');
    log.error('third');
    log.debug('not asked for');
    assert.deepEqual(
      lines().map(({ level, msg }) => `${level} ${msg}`),
      ['info first', 'warn second', 'error third'],
    );
    assert.deepEqual(lines()[0].list, [1]);
    assert.equal(lines()[0].size, '5');
    assert.ok(!Number.isNaN(Date.parse(lines()[0].time)));
  });

  it('has debug lines when asked for', () => {
    jsonLog(fd, true).debug('asked for');
    assert.equal(lines()[0].level, 'debug');
  });

  it('has the stack of faults of ours, and of what users do wrong the text', () => {
    const log = jsonLog(fd, false);
    log.error('ours', { error: new Error('a fault') });
    log.error('theirs', { error: new WharfError('invalid', 'a mistake') });
    assert.match(lines()[0].error, /a fault\n\s+at /);
    assert.equal(lines()[1].error, 'a mistake');
  });

  it('that can not be written harms nothing', () => {
    const broken = openSync(join(dir, 'log'), 'r');
    assert.doesNotThrow(() => jsonLog(broken, false).info('lost'));
    closeSync(broken);
  });
});
