import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { cgroupPids, detectCgroups } from './cgroup.ts';
import { check } from './errno.ts';
import { duplicateFd, Fd, O, pipe2 } from './fd.ts';
import { mkdirAllInRoot, readFileInRoot } from './in-root.ts';
import { openSocket } from './inet-socket.ts';
import { libcFunction } from './libc.ts';
import { mountInfo } from './mount-info.ts';
import { createNetns, deleteNetns } from './namespace.ts';
import { deleteConnections } from './netlink/conntrack.ts';
import { watchNftables, watchRoutes } from './netlink/monitor.ts';
import { RouteSocket } from './netlink/route-socket.ts';
import { withNetns } from './netns-switch.ts';
import { openat2, openInRoot } from './openat2.ts';
import { openPidfd, pidfdExited, pidfdSendSignal } from './pidfd.ts';
import { pollFd } from './poll.ts';
import { processStartTicks, processStatus } from './process.ts';
import { SeqpacketConnection } from './seqpacket.ts';
import { type ChildProcessHandle, spawnProcess } from './spawn.ts';

const prlimit = libcFunction<[number, number, Buffer | null, Buffer | null]>(
  'int prlimit(int pid, int resource, const void *limit, void *old)',
);
const RLIMIT_NOFILE = 7;

/** The numbers that are open; the one that lists them is gone again when it returns. */
function open(): number[] {
  const numbers = readdirSync('/proc/self/fd').map(Number);
  return numbers.filter((fd) => existsSync(`/proc/self/fd/${fd}`) || isSpecial(fd));
}

/** Sockets and pipes have link texts that are no paths. */
function isSpecial(fd: number): boolean {
  try {
    using copy = duplicateFd(fd);
    return copy.fd >= 0;
  } catch {
    return false;
  }
}

/** Runs `work` while only `free` more descriptors may be opened. */
function withDescriptors(free: number, work: () => void): void {
  const used = new Set(open());
  let limit = 0;
  for (let left = free; left > 0 || used.has(limit); limit++) if (!used.has(limit)) left -= 1;
  const old = Buffer.alloc(16);
  check(prlimit(0, RLIMIT_NOFILE, null, old), 'prlimit', 'descriptors');
  const lowered = Buffer.from(old);
  lowered.writeBigUInt64LE(BigInt(limit), 0);
  check(prlimit(0, RLIMIT_NOFILE, lowered, null), 'prlimit', 'descriptors');
  try {
    work();
  } finally {
    check(prlimit(0, RLIMIT_NOFILE, old, null), 'prlimit', 'descriptors');
  }
}

let base: string;
let pin: string;
let made: string;
let sleeper: ChildProcessHandle;
let count = 0;

before(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-leaks-'));
  [pin, made] = [join(base, 'pin'), join(base, 'made')];
  mkdirSync(join(base, 'root/dir'), { recursive: true });
  writeFileSync(join(base, 'root/file'), 'x');
  createNetns(pin);
  sleeper = spawnProcess({ file: '/bin/sleep', args: ['100'], env: [] });
});
after(async () => {
  pidfdSendSignal(sleeper.pidfd, 9);
  await sleeper.exited;
  for (const path of [pin, made]) deleteNetns(path);
  rmSync(base, { recursive: true, force: true });
});

/** Each opens what it needs and closes it again. */
const operations: Record<string, () => void> = {
  openat2: () => openat2(base, 'root', { flags: O.PATH }).close(),
  openInRoot: () => openInRoot(join(base, 'root'), 'dir', O.RDONLY | O.DIRECTORY).close(),
  mkdirAllInRoot: () => {
    count += 1;
    mkdirAllInRoot(join(base, 'root'), `new-${count}/one/two`, 0o755).close();
  },
  readFileInRoot: () => void readFileInRoot(join(base, 'root'), 'file', 10),
  pipe2: () => {
    for (const end of pipe2()) end.close();
  },
  duplicateFd: () => duplicateFd(0).close(),
  createNetns: () => {
    createNetns(made);
    deleteNetns(made);
  },
  withNetns: () => withNetns(pin, () => undefined),
  'RouteSocket.open': () => RouteSocket.open().close(),
  'RouteSocket.open in a namespace': () => RouteSocket.open(pin).close(),
  openSocket: () => openSocket({ family: 6, type: 'dgram' }).close(),
  'openSocket in a namespace': () => openSocket({ netns: pin, family: 4, type: 'stream', listen: 1 }).close(),
  watchRoutes: () => watchRoutes(() => {})[Symbol.dispose](),
  watchNftables: () => watchNftables(() => {})[Symbol.dispose](),
  deleteConnections: () => void deleteConnections(4, () => false),
  openPidfd: () => openPidfd(process.pid).close(),
  pollFd: () => pollFd(sleeper.pidfd.fd, { readable: true }, () => {})[Symbol.dispose](),
  mountInfo: () => void mountInfo(),
  processStatus: () => void processStatus(process.pid),
  processStartTicks: () => void processStartTicks(process.pid),
  cgroupPids: () => void cgroupPids(detectCgroups(), '/wharf-none'),
};

describe('when descriptors run out', () => {
  for (const [name, operation] of Object.entries(operations)) {
    it(`${name} says so at whichever step it is, and keeps none`, () => {
      operation();
      const [home, names] = [open(), readdirSync(base).sort()];
      let refused = 0;
      for (let free = 0; free < 8; free++) {
        let thrown: unknown;
        withDescriptors(free, () => {
          try {
            operation();
          } catch (error) {
            thrown = error;
          }
        });
        assert.deepEqual(open(), home, `${free} descriptors were free`);
        assert.deepEqual(readdirSync(base).sort(), names, `${free} descriptors were free`);
        if (thrown === undefined) break;
        assert.ok(isKind(thrown, 'exhausted'), String(thrown));
        refused += 1;
      }
      assert.ok(refused > 0 && refused < 8, `refused ${refused} times`);
    });
  }

  it('a child that could not be watched is not left running', async () => {
    const home = open();
    for (let free = 0; free < 4; free++) {
      let child: ChildProcessHandle | undefined;
      let thrown: unknown;
      withDescriptors(free, () => {
        try {
          child = spawnProcess({
            file: '/bin/sleep',
            args: ['100'],
            env: [],
            fds: [{ child: 5, parent: 1 }],
          });
        } catch (error) {
          thrown = error;
        }
      });
      if (child) {
        pidfdSendSignal(child.pidfd, 9);
        await child.exited;
      } else assert.ok(isKind(thrown, 'exhausted'), String(thrown));
      assert.deepEqual(open(), home, `${free} descriptors were free`);
    }
    const children = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => processStatus(Number(pid))?.parentPid === process.pid);
    assert.deepEqual(children.map(Number), [sleeper.pid]);
  });
});

describe('refusals keep no descriptor', () => {
  const refused: Record<string, () => unknown> = {
    'a socket that is not there': () => SeqpacketConnection.connect(join(base, 'none')),
    'a socket path that is a file': () => SeqpacketConnection.connect(join(base, 'root/file')),
    'a socket below a long path': () => SeqpacketConnection.connect(join(base, 'd'.repeat(120), 'socket')),
    'a namespace that is a file': () => withNetns(join(base, 'root/file'), () => 1),
    'a namespace that is missing': () => RouteSocket.open(join(base, 'none')),
    'a pin in a missing directory': () => createNetns(join(base, 'none/pin')),
    'an error inside a namespace': () =>
      withNetns(pin, () => {
        throw new Error('inside');
      }),
    'a directory below a file': () => mkdirAllInRoot(join(base, 'root'), 'file/x/y', 0o755),
    'a directory in a missing root': () => mkdirAllInRoot(join(base, 'none'), 'x', 0o755),
    'a file that is too large': () => readFileInRoot(join(base, 'root'), 'file', 0),
    'a file that is a directory': () => readFileInRoot(join(base, 'root'), 'dir', 10),
    'a poll of a file': () => {
      using file = openat2(base, 'root/file', { flags: O.RDONLY });
      pollFd(file.fd, { readable: true }, () => {});
    },
    'a program that is missing': () =>
      spawnProcess({
        file: '/none',
        args: [],
        env: [],
        fds: [
          { child: 3, parent: 0 },
          { child: 0, parent: 1 },
        ],
      }),
    'a descriptor that is closed': () =>
      spawnProcess({
        file: '/bin/true',
        args: [],
        env: [],
        fds: [
          { child: 0, parent: 9999 },
          { child: 1, parent: 0 },
        ],
      }),
  };
  for (const [what, attempt] of Object.entries(refused)) {
    it(what, () => {
      assert.throws(attempt);
      const home = open();
      for (let round = 0; round < 5; round++) assert.throws(attempt);
      assert.deepEqual(open(), home);
    });
  }

  it('a wait for what is no process rejects, and keeps none either', async () => {
    using file = openat2(base, 'root/file', { flags: O.RDONLY });
    const home = open();
    await assert.rejects(
      async () => pidfdExited(file),
      (e) => isKind(e, 'invalid'),
    );
    assert.deepEqual(open(), home);
    const closed = new Fd(-1);
    await assert.rejects(async () => pidfdExited(closed));
    assert.deepEqual(open(), home);
  });

  it('a wait that was cancelled a thousand times keeps none', async () => {
    const home = open();
    const controller = new AbortController();
    const waits = Array.from({ length: 1000 }, () => pidfdExited(sleeper.pidfd, controller.signal));
    const ends = Promise.allSettled(waits);
    controller.abort();
    assert.ok((await ends).every(({ status }) => status === 'rejected'));
    assert.deepEqual(open(), home);
  });
});
