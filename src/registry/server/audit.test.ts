import assert from 'node:assert/strict';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind, type Logger, silentLog } from '../../base/index.ts';
import { mount, umountIfMounted } from '../../sys/index.ts';
import { type AuditLog, auditLine, auditTo, openAuditFile } from './audit.ts';
import type { AuditEntry } from './types.ts';

let dir: string;
let path: string;
let now: number;
let audit: AuditLog | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wharf-audit-'));
  path = join(dir, 'audit.log');
  now = 0;
});
afterEach(() => {
  audit?.close();
  audit = undefined;
  umountIfMounted(dir, { detach: true });
  rmSync(dir, { recursive: true, force: true });
});

const ENTRY: AuditEntry = {
  time: '2026-01-02T03:04:05.678Z',
  user: 'ann',
  from: '192.0.2.7',
  method: 'PUT',
  action: 'push',
  repository: 'lab/tools',
  reference: 'latest',
  status: 201,
  bytes: 512,
  agent: 'docker/28.5.2',
};

function open(log: Logger = silentLog): AuditLog {
  audit = openAuditFile(path, log, { monotonic: () => now });
  return audit;
}

/** Lines are written at the end of the turn of the event loop in which they came. */
const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
const lines = (file = path) => readFileSync(file, 'utf8').split('\n').slice(0, -1);

describe('an audit line', () => {
  it('is one JSON object with who, what, when, from where, status and bytes', () => {
    const line = auditLine(ENTRY);
    assert.deepEqual(JSON.parse(line), ENTRY);
    assert.equal(line.indexOf('\n'), line.length - 1);
  });

  it('can not be forged, and does not speak to terminals', () => {
    const payloads = [
      'a\n{"user":"root"}',
      'a\r\nb',
      '\u001b[2J\u001b]0;title\u0007',
      '\u009b31m',
      '\u2028\u2029\u0085',
      '\u007f\u0000\b',
      '"},{"user":"root',
      '\ud800',
      '</script>',
    ];
    for (const payload of payloads) {
      const line = auditLine({
        ...ENTRY,
        agent: payload,
        reference: payload,
        repository: payload,
        user: payload,
      });
      assert.match(line, /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*\n$/);
      assert.equal(JSON.parse(line).agent, payload);
      assert.equal(JSON.parse(line).method, 'PUT');
    }
  });

  it('has a bound, whatever a client sends', () => {
    const long = 'x'.repeat(100_000);
    const line = auditLine({
      ...ENTRY,
      agent: long,
      reference: long,
      repository: long,
      user: long,
      method: long,
    });
    assert.ok(line.length < 4_000);
  });

  it('has only the fields that an audit has: nothing else that came with an entry', () => {
    const entry = { ...ENTRY, authorization: 'Basic c2VjcmV0', password: 'secret' };
    assert.equal(/secret|c2VjcmV0/.test(auditLine(entry)), false);
  });
});

describe('an audit file', () => {
  it('is for its owner alone, and is appended to, in order', async () => {
    const first = open();
    for (let at = 0; at < 100; at++) first.write({ ...ENTRY, bytes: at });
    await turn();
    first.close();
    const again = open();
    again.write({ ...ENTRY, bytes: 100 });
    await turn();
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(
      lines().map((line) => JSON.parse(line).bytes),
      Array.from({ length: 101 }, (_, at) => at),
    );
  });

  it('has what was not yet written when it is closed', () => {
    open().write(ENTRY);
    audit?.close();
    assert.equal(lines().length, 1);
    audit?.write(ENTRY);
    audit?.close();
    assert.equal(lines().length, 1);
  });

  it('that was renamed away is begun anew, and no line is lost or twice', async () => {
    const log = open();
    log.write({ ...ENTRY, bytes: 1 });
    await turn();
    renameSync(path, `${path}.1`);
    now += 1_000;
    log.write({ ...ENTRY, bytes: 2 });
    await turn();
    assert.deepEqual(
      [lines(`${path}.1`), lines()].map((each) => each.map((line) => JSON.parse(line).bytes)),
      [[1], [2]],
    );
  });

  it('that was removed is begun anew', async () => {
    const log = open();
    rmSync(path);
    now += 1_000;
    log.write(ENTRY);
    await turn();
    assert.equal(lines().length, 1);
  });

  it('is opened anew when told so', async () => {
    const log = open();
    renameSync(path, `${path}.1`);
    log.write({ ...ENTRY, bytes: 1 });
    log.reopen();
    log.write({ ...ENTRY, bytes: 2 });
    await turn();
    assert.equal(lines(`${path}.1`).length, 1);
    assert.equal(lines().length, 1);
  });

  it('that can not be opened is said before anything is served', () => {
    assert.throws(
      () => openAuditFile(join(dir, 'none', 'audit.log'), silentLog),
      (thrown) => isKind(thrown, 'invalid') && /audit\.log can't be opened/.test((thrown as Error).message),
    );
  });

  it('on a full disk loses lines, says so once, and goes on when there is room', async () => {
    mount({ source: 'tmpfs', target: dir, type: 'tmpfs', data: 'size=64k' });
    const said: string[] = [];
    const note = (message: string) => void said.push(message);
    const log = open({ ...silentLog, error: note, warn: note });
    const filler = openSync(join(dir, 'filler'), 'w');
    try {
      assert.throws(() => {
        for (;;) writeSync(filler, Buffer.alloc(4096));
      });
    } finally {
      closeSync(filler);
    }
    for (let at = 0; at < 40; at++) {
      for (let each = 0; each < 20; each++) log.write({ ...ENTRY, agent: 'x'.repeat(500) });
      await turn();
    }
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /audit lines are lost/);
    rmSync(join(dir, 'filler'));
    log.write({ ...ENTRY, bytes: 4711 });
    await turn();
    assert.equal(JSON.parse(lines().at(-1) ?? '').bytes, 4711);
    // At most the line that was being written when the disk was full is cut; none is glued to it.
    const cut = lines().filter((line) => !line.endsWith('}'));
    assert.ok(cut.length <= 1);
    assert.match(said[1] ?? '', /written again/);
  });
});

describe('an audit on a descriptor', () => {
  it('writes at once, and survives a closed one', () => {
    const fd = openSync(path, 'w');
    const log = auditTo(fd);
    log.write(ENTRY);
    log.reopen();
    assert.equal(lines().length, 1);
    closeSync(fd);
    log.write(ENTRY);
    log.close();
    assert.equal(lines().length, 1);
  });
});
