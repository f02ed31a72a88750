import assert from 'node:assert/strict';
import { mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { fromNodeError, isErrno, systemError } from './errno.ts';
import { duplicateFd, Fd, flock, pipe2 } from './fd.ts';
import { processStartTicks, processStatus } from './process.ts';
import { signalName, signalNumber } from './signals.ts';
import { spawnProcess } from './spawn.ts';
import { mkfifo, sysinfo, uname } from './system.ts';

describe('signals', () => {
  const known: [string, number | undefined][] = [
    ['SIGTERM', 15],
    ['term', 15],
    ['15', 15],
    ['SIGKILL', 9],
    ['cld', 17],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMAX-14', 50],
    ['RTMAX', 64],
    ['64', 64],
    ['0', undefined],
    ['65', undefined],
    ['-1', undefined],
    ['', undefined],
    ['SIG', undefined],
    ['RTMIN-1', undefined],
    ['RTMAX+1', undefined],
    ['RTMIN+31', undefined],
    ['SIGSIGTERM', undefined],
    ['constructor', undefined],
  ];
  for (const [text, number] of known) {
    it(`takes ${JSON.stringify(text)} for ${number}`, () => assert.equal(signalNumber(text), number));
  }

  it('names every signal by a name that means it', () => {
    for (let number = 1; number <= 64; number++) {
      const name = signalName(number);
      if (number === 32 || number === 33) assert.equal(name, undefined);
      else assert.equal(signalNumber(name as string), number);
    }
    assert.deepEqual([signalName(6), signalName(29), signalName(35)], ['SIGABRT', 'SIGIO', 'SIGRTMIN+1']);
  });
});

describe('errors', () => {
  const kinds: [number, string, string][] = [
    [2, 'not-found', 'ENOENT'],
    [17, 'conflict', 'EEXIST'],
    [16, 'conflict', 'EBUSY'],
    [28, 'exhausted', 'ENOSPC'],
    [24, 'exhausted', 'EMFILE'],
    [122, 'exhausted', 'EDQUOT'],
    [13, 'forbidden', 'EACCES'],
    [1, 'forbidden', 'EPERM'],
    [5, 'internal', 'EIO'],
    [11, 'internal', 'EAGAIN'],
    [95, 'internal', 'ENOTSUP'],
    [4000, 'internal', 'E4000'],
  ];
  for (const [errno, kind, code] of kinds) {
    it(`makes ${kind} of ${code}`, () => {
      const error = systemError('call', '/path', errno);
      assert.equal(error.kind, kind);
      assert.match(error.message, new RegExp(`^call /path: .*\\(?${code}\\)?$`));
      assert.ok(isErrno(error, 'EOTHER', code));
    });
  }

  it('converts errors of node:fs and passes others on', () => {
    const error = fromNodeError(Object.assign(new Error('x'), { code: 'EACCES' }), 'open', '/a');
    assert.ok(isKind(error, 'forbidden') && isErrno(error, 'EACCES'));
    assert.equal(fromNodeError(new Error('plain'), 'open', '/a').message, 'plain');
  });
});

describe('processes', () => {
  it('reads the state and the start of a process', () => {
    const status = processStatus(process.pid);
    assert.equal(status?.parentPid, process.ppid);
    assert.ok((status?.residentBytes ?? 0) > 1e6);
    const ticks = processStartTicks(process.pid);
    assert.equal(ticks, processStartTicks(process.pid));
    assert.ok(ticks !== undefined && ticks > (processStartTicks(1) as bigint));
  });

  it('is not fooled by a name with parentheses', async () => {
    const [reader, writer] = pipe2();
    const line = `printf ') S 1 2 (' > /proc/self/comm; printf ') S 1 (' > /proc/$$/comm; echo ready; sleep 100 & wait`;
    const child = spawnProcess({
      file: '/bin/sh',
      args: ['-c', line],
      env: ['PATH=/bin:/usr/bin'],
      fds: [{ child: 1, parent: writer.fd }],
      newSession: true,
    });
    readSync(reader.fd, Buffer.alloc(10));
    assert.ok((processStartTicks(child.pid) as bigint) > 1000n);
    assert.equal(processStatus(child.pid)?.name, ') S 1 (');
    process.kill(-child.pid, 'SIGKILL');
    await child.exited;
    assert.equal(processStartTicks(child.pid), undefined);
    assert.equal(processStatus(child.pid), undefined);
    reader.close();
    writer.close();
  });
});

describe('descriptors', () => {
  it('locks a file against another opening of it', (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'wharf-lock-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const open = () => new Fd(openSync(join(directory, 'lock'), 'a'));
    const [first, second] = [open(), open()];
    assert.ok(flock(first, { exclusive: true, nonBlocking: true }));
    assert.equal(flock(second, { exclusive: false, nonBlocking: true }), false);
    first.close();
    assert.ok(flock(second, { exclusive: false, nonBlocking: true }));
    assert.throws(
      () => flock(first, { exclusive: true, nonBlocking: true }),
      (e) => isErrno(e, 'EBADF'),
    );
    second.close();
  });

  it('closes once, whoever asks', () => {
    const [reader, writer] = pipe2();
    using copy = duplicateFd(writer, 50);
    assert.ok(copy.fd >= 50);
    writeSync(copy.fd, 'x');
    reader.close();
    reader.close();
    writer[Symbol.dispose]();
    assert.deepEqual([reader.fd, writer.fd], [-1, -1]);
  });
});

it('says what the host is', () => {
  const info = sysinfo();
  assert.equal(info.totalMemory, totalmem());
  assert.ok(info.freeMemory <= info.totalMemory && info.uptimeSeconds > 0 && info.processes > 0);
  const name = uname();
  assert.equal(name.sysname, 'Linux');
  assert.equal(name.release, readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
});

it('makes a FIFO with the mode asked for', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-fifo-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'fifo');
  mkfifo(path, 0o666);
  assert.ok(statSync(path).isFIFO());
  assert.equal(statSync(path).mode & 0o777, 0o666);
  assert.throws(
    () => mkfifo(path, 0o600),
    (e) => isKind(e, 'conflict'),
  );
});
