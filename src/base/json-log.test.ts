import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { WharfError } from './errors.ts';
import { JsonLog } from './json-log.ts';

function logged(write: (log: JsonLog) => void, level: 'debug' | 'warn' = 'debug'): Record<string, unknown>[] {
  const directory = mkdtempSync(join(tmpdir(), 'json-log-'));
  const fd = openSync(join(directory, 'log'), 'w');
  try {
    write(new JsonLog(level, fd));
    const text = readFileSync(join(directory, 'log'), 'utf8');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  } finally {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
}

describe('JsonLog', () => {
  it('writes one JSON object a line, whatever a field holds', () => {
    const lines = logged((log) => log.info('named', { name: 'a\n{"level":"error"}\u001b[31m' }));
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.['name'], 'a\n{"level":"error"}\u001b[31m');
  });

  it('leaves out what is below its level, which can change', () => {
    const lines = logged((log) => {
      log.info('no');
      log.warn('yes');
      log.setLevel('debug');
      log.debug('yes');
    }, 'warn');
    assert.deepEqual(
      lines.map((line) => [line['level'], line['msg']]),
      [
        ['warn', 'yes'],
        ['debug', 'yes'],
      ],
    );
  });

  it('writes known errors by message and cause, faults of ours with their stack, and bigints', () => {
    const [known, fault, big] = logged((log) => {
      log.warn('x', { error: new WharfError('not-found', 'gone', { cause: new Error('why') }) });
      log.error('x', { error: new Error('bug') });
      log.info('x', { at: 5n });
    });
    assert.deepEqual(known?.['error'], { message: 'gone', cause: 'why' });
    assert.match(JSON.stringify(fault?.['error']), /bug/);
    assert.equal(big?.['at'], '5');
  });

  it('harms nothing when it can’t be written', () => {
    const none = openSync('/dev/null', 'r');
    assert.doesNotThrow(() => new JsonLog('info', none).info('lost'));
    closeSync(none);
  });
});
