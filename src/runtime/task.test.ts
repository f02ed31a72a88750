import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { isKind, newId } from '../base/index.ts';
import { cgroupPaths, detectCgroups } from '../sys/index.ts';
import { CRUN, openRuntimeWorld, type RuntimeWorld } from './test-fixture.ts';
import type { Task, TaskStdio } from './types.ts';

let world: RuntimeWorld;
before(() => {
  world = openRuntimeWorld();
});
after(() => world[Symbol.asyncDispose]());

const host = detectCgroups();
const groups = (id: string) => [...new Set(cgroupPaths(host, `${world.cgroupParent}/${id}`).values())];
const alive = (pid: number) => existsSync(`/proc/${pid}`);

async function text(stdio: TaskStdio | undefined): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const { data } of stdio?.output ?? []) pieces.push(data);
  return Buffer.concat(pieces).toString().replaceAll('\r\n', '\n');
}

async function run(args: string[], options = {}): Promise<{ task: Task; id: string }> {
  const request = world.request(args, options);
  const task = await world.service.create(request);
  await task.start();
  return { task, id: request.id };
}

/** The container's conmon. */
function monitorPid(id: string): number {
  const saved = readFileSync(`${world.root}/exec/bundles/${id}/task.json`, 'utf8');
  return (JSON.parse(saved) as { monitorPid: number }).monitorPid;
}

/** A runtime of one's own: a script in a place of no standard. */
function runtimeScript(name: string, script: string) {
  const path = `${world.root}/${name}`;
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return { name, path, args: [] };
}

/** Nothing of a task is left on disk or in the kernel. */
function assertGone(id: string): void {
  for (const dir of ['bundles', 'exits', 'runtime/crun'])
    assert.deepEqual(
      readdirSync(`${world.root}/exec/${dir}`).filter((name) => name.includes(id)),
      [],
    );
  for (const dir of groups(id)) assert.equal(existsSync(dir), false, dir);
}

describe('what a task leaves', () => {
  it('is private while it is there, and nothing after', async () => {
    const { task, id } = await run(['sleep', '60']);
    for (const dir of ['bundles', 'exits', 'runtime', `bundles/${id}`])
      assert.equal(statSync(`${world.root}/exec/${dir}`).mode & 0o777, 0o700, dir);
    assert.equal(statSync(`${world.root}/exec/bundles/${id}/config.json`).mode & 0o077, 0);
    await task.delete();
    assertGone(id);
  });

  it('is nothing after a start that failed', async () => {
    const request = world.request(['nosuch']);
    await assert.rejects(world.service.create(request));
    assertGone(request.id);
  });

  it('is nothing after a spec that the runtime refuses', async () => {
    const request = world.request(['true']);
    request.spec.root.path = '/no/such/rootfs';
    await assert.rejects(world.service.create(request), (thrown) => !isKind(thrown, 'internal'));
    assertGone(request.id);
  });

  it('is nothing when the monitor cannot be started', async () => {
    const request = world.request(['true'], { runtime: { ...CRUN, path: '/no/such/crun' } });
    await assert.rejects(world.service.create(request));
    assertGone(request.id);
  });

  it('is nothing after an abort, before, during and at the end', async () => {
    const aborted = AbortSignal.abort();
    const early = world.request(['sleep', '60']);
    await assert.rejects(world.service.create(early, aborted));
    assertGone(early.id);
    for (const wait of [0, 2, 5, 8, 12]) {
      const request = world.request(['sleep', '60']);
      const controller = new AbortController();
      setTimeout(() => controller.abort(), wait);
      const task = await world.service.create(request, controller.signal).catch((thrown: unknown) => {
        assert.ok(isKind(thrown, 'cancelled'), String(thrown));
      });
      await task?.delete();
      assertGone(request.id);
    }
  });

  it('does not stand in the way of the next start of the same container', async () => {
    const request = world.request(['sh', '-c', 'exit 4']);
    const first = await world.service.create(request);
    await first.start();
    await first.exited;
    const second = await world.service.create(request);
    await second.start();
    assert.equal((await second.exited).code, 4);
    await second.delete();
    assertGone(request.id);
  });

  it('is found and purged when no record names it', async () => {
    const { task, id } = await run(['sleep', '60']);
    assert.ok((await world.reopen().leftovers()).includes(id));
    await world.reopen().purge(id);
    assert.equal(alive(task.pid), false);
    assertGone(id);
  });

  it('is purged also when the start was cut off before its end', async () => {
    const { task, id } = await run(['sleep', '60']);
    rmSync(`${world.root}/exec/bundles/${id}/task.json`);
    await world.reopen().purge(id);
    await task.exited;
    assert.equal(alive(task.pid), false);
    assertGone(id);
  });

  it('is purged by the runtime that it was for, wherever that lies', async () => {
    const calls = `${world.root}/calls`;
    const runtime = runtimeScript('elsewhere', `echo "$*" >> ${calls}; exec runc "$@"`);
    const { task, id } = await run(['sleep', '60'], { runtime });
    rmSync(`${world.root}/exec/bundles/${id}/task.json`);
    await world.reopen().purge(id);
    await task.exited;
    assert.match(readFileSync(calls, 'utf8'), new RegExp(`delete --force ${id}\n`));
    assert.equal(alive(task.pid), false);
    assertGone(id);
    assert.deepEqual(readdirSync(`${world.root}/exec/runtime/elsewhere`), []);
  });

  it('is nothing after a runtime that never answers', async () => {
    const runtime = runtimeScript('stuck', 'sleep 60');
    const service = world.reopen({ answerLimit: 100 });
    const request = world.request(['sleep', '60'], { runtime });
    await assert.rejects(service.create(request), { kind: 'timeout' });
    assertGone(request.id);
  });
});

describe('a daemon that comes back', () => {
  it('learns an end that it missed, with its code and time', async () => {
    const { task, id } = await run(['sh', '-c', 'exit 9']);
    const seen = await task.exited;
    const adopted = await world.reopen().adopt(id, CRUN, false);
    assert.deepEqual(await adopted?.exited, seen);
    await adopted?.delete();
    assertGone(id);
  });

  it('says lost when the monitor was killed, and ends the container', async () => {
    const { task, id } = await run(['sh', '-c', 'sleep 60 & sleep 60']);
    process.kill(monitorPid(id), 'SIGKILL');
    const exit = await task.exited;
    assert.equal(exit.lost, true);
    assert.equal(exit.code, 255);
    assert.deepEqual(await task.pids(), []);
    const again = await (await world.reopen().adopt(id, CRUN, false))?.exited;
    assert.equal(again?.lost, true);
    await task.delete();
    assertGone(id);
  });

  it('never takes another process for the container', async () => {
    const { task, id } = await run(['sh', '-c', 'exit 0']);
    await task.exited;
    const file = `${world.root}/exec/bundles/${id}/task.json`;
    const saved = JSON.parse(readFileSync(file, 'utf8')) as object;
    // This very process stands for one that got the pids of the container and of its monitor.
    writeFileSync(file, JSON.stringify({ ...saved, pid: process.pid, monitorPid: process.pid }));
    rmSync(`${world.root}/exec/exits/${id}`);
    const adopted = await world.reopen().adopt(id, CRUN, false);
    assert.equal((await adopted?.exited)?.lost, true);
    await assert.rejects(adopted!.kill(9), (thrown) => isKind(thrown, 'not-found'));
    await adopted?.delete();
    assertGone(id);
  });

  it('attaches, resizes, executes in and kills what it adopted', async () => {
    const options = {
      input: { config: { Tty: true, OpenStdin: true } },
      task: { terminal: true, openStdin: true },
    };
    const { task, id } = await run(['cat'], options);
    const adopted = (await world.reopen().adopt(id, CRUN, true)) as Task;
    assert.equal(adopted.pid, task.pid);
    await adopted.resize(31, 97);
    const spec = JSON.parse(readFileSync(`${world.root}/exec/bundles/${id}/config.json`, 'utf8')) as {
      process: Parameters<Task['exec']>[0]['process'];
    };
    const wanted = { ...spec.process, terminal: false, args: ['sh', '-c', 'stty size < /proc/1/fd/0'] };
    const said = await adopted.exec({ execId: newId(), process: wanted, openStdin: false }, { attach: true });
    assert.equal(await text(said.stdio), '31 97\n');
    await adopted.kill(9);
    assert.equal((await adopted.exited).code, 137);
    await adopted.delete();
    await assert.rejects(adopted.resize(1, 1), (thrown) => isKind(thrown, 'not-found'));
    assertGone(id);
  });
});

describe('processes of a task', () => {
  it('have only their stdio open, and an environment of their own', async () => {
    const script =
      'cd /proc/$$/fd; for f in *; do [ -e $f ] && echo $f; done; env | grep -c -i -E "OCI|LIBC"';
    const request = world.request(['sh', '-c', 'sleep 60']);
    const task = await world.service.create(request);
    const open = () => readdirSync(`/proc/${task.pid}/fd`).map(Number);
    await task.start();
    while (!readFileSync(`/proc/${task.pid}/cmdline`, 'utf8').startsWith('sleep'))
      await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(
      open().filter((fd) => fd > 2),
      [],
    );
    const process = { ...request.spec.process!, args: ['sh', '-c', script] };
    const said = await task.exec({ execId: newId(), process, openStdin: false }, { attach: true });
    assert.equal(await text(said.stdio), '0\n1\n2\n0\n');
    const monitor = readFileSync(`/proc/${monitorPid(request.id)}/environ`, 'utf8')
      .split('\0')
      .filter(Boolean);
    assert.deepEqual(monitor.map((entry) => entry.split('=')[0]).sort(), ['PATH', '_OCI_SYNCPIPE']);
    await task.delete();
  });

  it("neither gives the host's /dev/null to an exec without stdin nor lets it change that, whose read ends at once", async () => {
    const facts = () => {
      const { uid, gid, mode } = statSync('/dev/null');
      return { uid, gid, mode };
    };
    const before = facts();
    const request = world.request(['sleep', '60']);
    const task = await world.service.create(request);
    await task.start();
    const run = (args: string[], uid: number, attach: boolean) => {
      const process = { ...request.spec.process!, args, user: { uid, gid: uid } };
      return task.exec({ execId: newId(), process, openStdin: false }, { attach });
    };
    const read = await run(['sh', '-c', 'cat; [ /proc/self/fd/0 -ef /dev/null ] || echo own'], 7, true);
    assert.equal(await text(read.stdio), 'own\n');
    assert.deepEqual(facts(), before);
    const change = 'cat; chmod 0600 /proc/self/fd/0; exit 4';
    for (const attach of [false, true]) {
      const changing = await run(['sh', '-c', change], 0, attach);
      assert.equal((await changing.exited).code, 4);
      assert.deepEqual(facts(), before);
    }
    await task.delete();
  });

  it('can not get at the host through descriptors as working directory', async () => {
    const request = world.request(['sleep', '60']);
    const task = await world.service.create(request);
    await task.start();
    for (let fd = 3; fd < 24; fd++) {
      const process = { ...request.spec.process!, cwd: `/proc/self/fd/${fd}`, args: ['ls', '../../..'] };
      const outcome = await task.exec({ execId: newId(), process, openStdin: false }, { attach: true }).then(
        (said) => text(said.stdio),
        () => '',
      );
      assert.doesNotMatch(outcome, /boot|home|root/, `descriptor ${fd}`);
    }
    await task.delete();
  });

  it('can not begin in a directory of the host, also not through a link', async () => {
    for (let fd = 3; fd < 16; fd++) {
      const link = `${world.rootfs}/wd${fd}`;
      symlinkSync(`/proc/self/fd/${fd}`, link);
      for (const cwd of [`/wd${fd}`, `/proc/self/fd/${fd}`]) {
        const request = world.request(['ls', '../../..'], { input: { config: { WorkingDir: cwd } } });
        const outcome = await world.service.create(request).then(
          async (task) => {
            const stdio = await task.attach();
            await task.start();
            const said = await text(stdio);
            await task.delete();
            return said;
          },
          () => '',
        );
        assert.doesNotMatch(outcome, /boot|home|root/, cwd);
        assertGone(request.id);
      }
      rmSync(link);
    }
  });

  it('begin with the size of terminal that was asked for', async () => {
    const options = {
      input: { config: { Tty: true } },
      task: { terminal: true, consoleSize: { height: 33, width: 77 } },
    };
    const request = world.request(['sh', '-c', 'stty size; sleep 60'], options);
    const task = await world.service.create(request);
    const stdio = await task.attach();
    await task.start();
    const first = await stdio.output[Symbol.asyncIterator]().next();
    assert.match(String(first.value?.data), /^33 77/);
    stdio.close();
    // crun 1.8 now and then lets an exec's program run before it has set the size: a second exec is asked then.
    const process = { ...request.spec.process!, args: ['stty', 'size'], terminal: true };
    const sizes: string[] = [];
    for (let tries = 0; tries < 5 && !sizes.includes('20 60\n'); tries++) {
      const wanted = { execId: newId(), process, openStdin: false, consoleSize: { height: 20, width: 60 } };
      const said = await task.exec(wanted, { attach: true });
      sizes.push(await text(said.stdio));
      await said.exited;
    }
    assert.equal(sizes.at(-1), '20 60\n');
    await task.delete();
  });

  it('are killed while they are paused', async () => {
    const { task, id } = await run(['sleep', '60']);
    await task.pause();
    await task.kill(9);
    assert.equal((await task.exited).code, 137);
    await task.delete();
    assertGone(id);
    const second = await run(['sleep', '60']);
    await second.task.pause();
    await second.task.delete();
    assertGone(second.id);
  });

  it('tell that memory ran out', async () => {
    const hostConfig = { NetworkMode: 'none', Memory: 16 << 20, MemorySwap: 16 << 20 };
    const { task, id } = await run(['sh', '-c', 'head -c 100m /dev/zero | tail'], { input: { hostConfig } });
    const exit = await task.exited;
    assert.equal(exit.oomKilled, true);
    assert.equal((await (await world.reopen().adopt(id, CRUN, false))?.exited)?.oomKilled, true);
    await task.delete();
    const fine = await run(['true'], { input: { hostConfig } });
    assert.equal((await fine.task.exited).oomKilled, false);
    await fine.task.delete();
  });

  it('take limits while they run', async () => {
    const hostConfig = { NetworkMode: 'none', Memory: 32 << 20, MemorySwap: 32 << 20 };
    const { task } = await run(['sleep', '60'], { input: { hostConfig } });
    await task.update({ memory: { limit: 128 << 20, swap: 256 << 20 }, pids: { limit: 77 } });
    const stats = await task.stats();
    assert.equal(stats?.memoryLimit, 128 << 20);
    assert.equal(stats?.pidsLimit, 77);
    await task.update({ memory: { limit: 24 << 20, swap: 48 << 20 } });
    assert.equal((await task.stats())?.memoryLimit, 24 << 20);
    await task.update({ blockIO: { weight: 500 }, pids: { limit: 78 } }).catch((thrown: unknown) => {
      assert.match(String(thrown), /crun update failed/);
    });
    await task.delete();
  });
});
