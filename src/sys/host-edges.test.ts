import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { check, cString, errnoName, fromNodeError, isErrno, systemError } from './errno.ts';
import { Fd, flock, O, pipe2 } from './fd.ts';
import { createNetns, deleteNetns } from './namespace.ts';
import { withNetns } from './netns-switch.ts';
import { nftJson, runNft } from './nft.ts';
import { openat2 } from './openat2.ts';
import { pidfdSendSignal } from './pidfd.ts';
import { processStartTicks, processStatus } from './process.ts';
import { signalName, signalNumber } from './signals.ts';
import { spawnProcess } from './spawn.ts';
import { socketPeer } from './unix-socket.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-edges-'));
});
afterEach(() => {
  deleteNetns(join(base, 'ns'));
  rmSync(base, { recursive: true, force: true });
});

describe('signals', () => {
  it('all 64 have one name that gives their number again, with and without SIG, in any case', () => {
    const names = new Set<string>();
    for (let number = 1; number <= 64; number++) {
      const name = signalName(number) ?? '';
      if (number === 32 || number === 33) {
        assert.equal(name, '', 'these two are glibc’s own');
        continue;
      }
      assert.ok(name.startsWith('SIG'), String(number));
      names.add(name);
      for (const text of [name, name.slice(3), name.toLowerCase(), String(number)]) {
        assert.equal(signalNumber(text), number, text);
      }
    }
    assert.equal(names.size, 62);
  });

  it('beyond the range, or spelled otherwise, are none', () => {
    for (const text of [
      '',
      '0',
      '-1',
      '65',
      '1.5',
      ' 9',
      'SIG',
      'SIGSIGTERM',
      'RTMIN-1',
      'RTMAX+1',
      'RTMIN+31',
      'RTMAX-31',
      'RTMIN+',
      'RTMIN+1x',
      'constructor',
      '٩',
    ])
      assert.equal(signalNumber(text), undefined, text);
    for (const number of [0, -1, 65, 1.5, Number.NaN]) assert.equal(signalName(number), undefined);
    assert.equal(signalNumber('RTMIN+30'), 64);
    assert.equal(signalNumber('RTMAX-30'), 34);
  });
});

describe('errors', () => {
  it('have one name for each errno of the system, and a number where there is none', () => {
    for (const [name, number] of Object.entries(constants.errno)) {
      const shown = errnoName(number as number);
      assert.equal(constants.errno[shown as keyof typeof constants.errno], number, name);
    }
    assert.equal(errnoName(4000), 'E4000');
    assert.match(systemError('call', 'thing', 4000).message, /^call thing: E4000 \(E4000\)$/);
  });

  it('are told by code, of the error or of its cause, and nothing else is', () => {
    const error = systemError('open', '/x', constants.errno.ENOENT);
    assert.ok(isErrno(error, 'EPERM', 'ENOENT') && isErrno(error.cause, 'ENOENT'));
    for (const thrown of [new Error('x'), 'ENOENT', null, undefined, { code: 2 }])
      assert.ok(!isErrno(thrown, 'ENOENT'));
    assert.equal(fromNodeError(new TypeError('not of the system'), 'read', '/x').kind, 'internal');
    assert.equal(check(0, 'call', 'thing'), 0);
    assert.throws(() => cString('a\0'), { kind: 'invalid', message: /NUL byte in "a\\u0000"/ });
  });
});

describe('locks', () => {
  const open = () => new Fd(openSync(join(base, 'lock'), 'a'));
  const [shared, exclusive] = [false, true].map((one) => ({ exclusive: one, nonBlocking: true })) as [
    { exclusive: boolean; nonBlocking: boolean },
    { exclusive: boolean; nonBlocking: boolean },
  ];

  it('are shared by readers, and changed in place only when alone', () => {
    using one = open();
    using two = open();
    assert.deepEqual([flock(one, shared), flock(two, shared)], [true, true]);
    assert.equal(flock(one, exclusive), false);
    two.close();
    assert.equal(flock(one, exclusive), true);
    assert.equal(flock(one, shared), true);
  });

  it('are held by another process until it ends', async () => {
    const [reader, writer] = pipe2();
    const child = spawnProcess({
      file: 'flock',
      args: [join(base, 'lock'), 'sh', '-c', 'echo held; exec sleep 100'],
      env: ['PATH=/usr/bin:/bin'],
      fds: [{ child: 1, parent: writer.fd }],
      newSession: true,
    });
    readSync(reader.fd, Buffer.alloc(5));
    using mine = open();
    assert.equal(flock(mine, exclusive), false);
    process.kill(-child.pid, 'SIGKILL');
    await child.exited;
    for (const end of [reader, writer]) end.close();
    flock(mine, { exclusive: true, nonBlocking: false });
    assert.equal(flock(mine, exclusive), true);
  });
});

describe('nft', () => {
  const table = `wharf-edges-${process.pid}`;
  const inside = <T>(work: () => T): T => {
    createNetns(join(base, 'ns'));
    return withNetns(join(base, 'ns'), work);
  };

  it('says what is at fault, keeps nothing of the script, and serves the next one', () => {
    inside(() => {
      const script = `add table ip ${table}\nadd chain ip ${table} c { type nonsense hook input priority 0; }\n`;
      assert.throws(
        () => runNft(script),
        (e) => isKind(e, 'internal') && /^nft: .*unknown chain type/s.test(String((e as Error).message)),
      );
      assert.throws(() => runNft(`add table ip ${table}\ndelete table ip nosuch\n`), /No such file/);
      assert.deepEqual(
        (nftJson('list tables') as { nftables: object[] }).nftables.filter((one) => 'table' in one),
        [],
      );
      runNft(`add table ip ${table}\n`);
      assert.match(JSON.stringify(nftJson('list tables')), new RegExp(table));
    });
    assert.doesNotMatch(JSON.stringify(nftJson('list tables')), new RegExp(table));
  });

  it('takes a thousand elements in one transaction, or none of them', () => {
    inside(() => {
      runNft(`add table ip ${table}\nadd set ip ${table} s { type inet_service; }\n`);
      const elements = Array.from({ length: 1000 }, (_, at) => at + 1).join(', ');
      runNft(`add element ip ${table} s { ${elements} }`);
      const count = () => {
        const { nftables } = nftJson(`list set ip ${table} s`) as {
          nftables: { set?: { elem?: unknown[] } }[];
        };
        return nftables.find(({ set }) => set)?.set?.elem?.length ?? 0;
      };
      assert.equal(count(), 1000);
      assert.throws(() => runNft(`flush set ip ${table} s\nadd element ip ${table} s { 70000 }`));
      assert.equal(count(), 1000);
      assert.throws(() => runNft(`flush set ip ${table} s\0`), { kind: 'invalid' });
      assert.equal(count(), 1000);
      runNft(`flush set ip ${table} s`);
      assert.equal(count(), 0);
    });
  });
});

describe('children', () => {
  it('get an empty environment, an argument list and a directory as large as the system takes', async () => {
    using output = openat2(base, 'out', { flags: O.RDWR | O.CREAT, mode: 0o600 });
    const many = Array.from({ length: 5000 }, (_, at) => `argument-${at}`);
    const child = spawnProcess({
      file: '/bin/sh',
      args: ['-c', 'echo $#; env | grep -cv "^PWD=\\|^_=\\|^SHLVL="', 'sh', ...many],
      env: ['PATH=/bin:/usr/bin'],
      cwd: base,
      fds: [{ child: 1, parent: output.fd }],
    });
    await child.exited;
    assert.equal(readFileSync(join(base, 'out'), 'utf8'), '5000\n1\n');
    assert.throws(
      () => spawnProcess({ file: '/bin/true', args: ['x'.repeat(200_000)], env: [] }),
      (e) => isErrno(e, 'E2BIG'),
    );
  });

  it('that cannot be run are refused with their reason, by the start and not by an exit code', () => {
    writeFileSync(join(base, 'plain'), 'no program', { mode: 0o644 });
    writeFileSync(join(base, 'interpreter'), '#!/none\n', { mode: 0o755 });
    const refused: [file: string, code: string, cwd?: string][] = [
      [join(base, 'plain'), 'EACCES'],
      [base, 'EACCES'],
      [join(base, 'plain/x'), 'ENOTDIR'],
      [join(base, 'interpreter'), 'ENOENT'],
      ['/bin/true', 'ENOTDIR', join(base, 'plain')],
    ];
    for (const [file, code, cwd] of refused)
      assert.throws(
        () => spawnProcess({ file, args: [], env: [], ...(cwd && { cwd }) }),
        (e) => isErrno(e, code),
        `${file} ${code}`,
      );
  });

  it('are stopped, continued and seen in each state', async () => {
    const child = spawnProcess({ file: '/bin/sleep', args: ['100'], env: [] });
    const ticks = processStartTicks(child.pid);
    const state = () => processStatus(child.pid)?.state;
    const until = (wanted: string) => {
      while (state() !== wanted) execFileSync('/bin/true');
    };
    pidfdSendSignal(child.pidfd, 19);
    until('T');
    pidfdSendSignal(child.pidfd, 18);
    until('S');
    assert.equal(processStartTicks(child.pid), ticks);
    assert.equal(processStatus(child.pid)?.parentPid, process.pid);
    assert.throws(
      () => pidfdSendSignal(child.pidfd, 65),
      (e) => isErrno(e, 'EINVAL'),
    );
    pidfdSendSignal(child.pidfd, 9);
    assert.deepEqual(await child.exited, { code: null, signal: 9 });
    assert.equal(pidfdSendSignal(child.pidfd, 9), false);
  });

  it('pids that no process has are unknown, also those that were never one', () => {
    for (const pid of [0, -1, 2 ** 22 + 1, 2 ** 31]) {
      assert.equal(processStatus(pid), undefined, String(pid));
      assert.equal(processStartTicks(pid), undefined, String(pid));
    }
    const file = openSync('/dev/null', 'r');
    assert.equal(socketPeer(file), undefined);
    closeSync(file);
    assert.equal(socketPeer(file), undefined);
  });
});
