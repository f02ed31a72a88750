import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { placeText, processPlace } from './process-place.ts';

async function started(command: string, ...args: string[]) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    pid: child.pid as number,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

const WAIT = 'echo up; read line';

test('a place is the boot, the process, its mount namespace and its root', () => {
  const own = processPlace(process.pid);
  assert.ok(own);
  assert.equal(own.mounts, readlinkSync('/proc/self/ns/mnt'));
  assert.match(own.root, /^\/ \d+:\d+$/);
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  assert.equal(placeText(own), `${boot} ${process.pid} ${own.mounts}`);
});

test('a process beside this one sees the same files, one in other mounts or another root does not', async () => {
  const own = processPlace(process.pid);
  await using beside = await started('sh', '-c', WAIT);
  await using elsewhere = await started('unshare', '-m', 'sh', '-c', WAIT);
  const [same, other] = [processPlace(beside.pid), processPlace(elsewhere.pid)];
  assert.deepEqual([same?.mounts, same?.root], [own?.mounts, own?.root]);
  assert.notEqual(other?.mounts, own?.mounts);
});

test('a process that is gone has none', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  assert.equal(processPlace(child.pid as number), undefined);
});
