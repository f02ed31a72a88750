import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CopyWorld, file } from './copy.cases.ts';

/** A process in a mount namespace of its own, with that root, after those mounts. */
async function inside(root: string, mounts: string): Promise<AsyncDisposable & { pid: number }> {
  const script = `cd ${root} && ${mounts} exec chroot . /bin/busybox sh -c 'echo up; read line'`;
  const child: ChildProcess = spawn('unshare', ['-m', 'sh', '-c', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return {
    pid: child.pid as number,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function running(binds: string[], tmpfs: Record<string, string>, mounts: string) {
  const world = await CopyWorld.open((root) => {
    mkdirSync(join(root, 'bin'));
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
    for (const name of ['b', 't', 'etc']) mkdirSync(join(root, name));
  });
  const record = await world.create('one', { Binds: binds, Tmpfs: tmpfs });
  const root = world.run(record, 0);
  const child = await inside(root, mounts);
  record.state.pid = child.pid;
  return {
    world,
    record,
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'wharf-live-'));
  mkdirSync(join(path, 'b'));
  writeFileSync(join(path, 'b/x'), 'bound');
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

test('mounts are those that the processes have: binds whose sources were moved, and tmpfs', async () => {
  using host = folder();
  const { path } = host;
  await using run = await running(
    [`${path}/b:/b`],
    { '/t': '' },
    `mount --bind ${path}/b b && mount -t tmpfs t t &&`,
  );
  const { world } = run;
  renameSync(join(path, 'b'), join(path, 'moved'));
  symlinkSync('/etc', join(path, 'b'));
  assert.deepEqual(await world.get('one', '/b'), ['b/', 'b/x:bound']);
  await world.put('one', '/t', [file('kept', 'in memory')]);
  assert.deepEqual(await world.get('one', '/t'), ['t/', 't/kept:in memory']);
});

test('what is mounted where the record names nothing is not met', async () => {
  using host = folder();
  await using run = await running([], {}, `mount --bind ${host.path}/b b &&`);
  assert.deepEqual(await run.world.get('one', '/b'), ['b/']);
});

test('a process that is not the container’s any more is not asked', async () => {
  using host = folder();
  const { path } = host;
  await using run = await running([`${path}/b:/b`], {}, 'mount -t tmpfs t b &&');
  const { world, record } = run;
  assert.deepEqual(await world.get('one', '/b'), ['b/']);
  // The id went to a process elsewhere, and then to none: the sources of the record count.
  for (const pid of [process.pid, 2 ** 22]) {
    record.state.pid = pid;
    assert.deepEqual(await world.get('one', '/b'), ['b/', 'b/x:bound']);
  }
});

test('a mount that the processes took away is not met', async () => {
  using host = folder();
  await using run = await running([`${host.path}/b:/b`], {}, 'true &&');
  assert.deepEqual(await run.world.get('one', '/b'), ['b/']);
});
