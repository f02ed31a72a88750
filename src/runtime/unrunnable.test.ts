import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { newId } from '../base/index.ts';
import { mkfifo } from '../sys/index.ts';
import { CRUN, openRuntimeWorld, RUNC, type RuntimeWorld } from './test-fixture.ts';
import type { Task, TaskStdio } from './types.ts';
import { findUnrunnable } from './unrunnable.ts';

let world: RuntimeWorld;
let task: Task;

function program(path: string, content: string | Buffer): void {
  writeFileSync(`${world.rootfs}${path}`, content);
  chmodSync(`${world.rootfs}${path}`, 0o755);
}

/** An ELF header alone, for a machine; with an interpreter when one is named. */
function elf(machine: number, interpreter = ''): Buffer {
  const bytes = Buffer.alloc(120 + interpreter.length + 1);
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeUInt16LE(machine, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(interpreter ? 1 : 0, 56);
  bytes.writeUInt32LE(3, 64);
  bytes.writeBigUInt64LE(120n, 72);
  bytes.writeBigUInt64LE(BigInt(interpreter.length + 1), 96);
  bytes.write(interpreter, 120);
  return bytes;
}

const native = process.arch === 'x64' ? 62 : 183;
const foreign = process.arch === 'x64' ? 183 : 62;

before(async () => {
  world = openRuntimeWorld();
  mkdirSync(`${world.rootfs}/x/dir`, { recursive: true });
  program('/x/garbage', 'garbage\n');
  program('/x/empty', '');
  program('/x/lost', '#!/no/such/interp -x\n');
  program('/x/intdir', '#! /x/dir\n');
  program('/x/good', '#!/bin/sh\nexit 3\n');
  program('/x/foreign', elf(foreign));
  program('/x/short', '\x7fELFxxxx');
  program('/x/libless', elf(native, '/lib/ld-none.so'));
  program('/x/linked', elf(native, '/bin/busybox'));
  program('/bin/inpath', 'garbage\n');
  copyFileSync('/bin/busybox', `${world.rootfs}/x/static`);
  mkfifo(`${world.rootfs}/x/fifo`, 0o755);
  task = await world.service.create(world.request(['sleep', '60']));
  await task.start();
});
after(async () => {
  await task.delete();
  await world[Symbol.asyncDispose]();
});

const cases: [string, string | undefined][] = [
  ['/x/garbage', 'exec /x/garbage: exec format error'],
  ['/x/empty', 'exec /x/empty: exec format error'],
  ['/x/foreign', 'exec /x/foreign: exec format error'],
  ['/x/short', 'exec /x/short: exec format error'],
  ['/x/lost', 'exec /x/lost: no such file or directory'],
  ['/x/libless', 'exec /x/libless: no such file or directory'],
  ['/x/intdir', 'exec /x/intdir: permission denied'],
  ['x/garbage', 'exec x/garbage: exec format error'],
  ['inpath', 'exec /bin/inpath: exec format error'],
  ['/x/good', undefined],
  ['/x/static', undefined],
  ['/x/linked', undefined],
  ['/x/fifo', undefined],
  ['/x/dir', undefined],
  ['/no/such', undefined],
  ['nosuch', undefined],
  ['', undefined],
];

describe('findUnrunnable', () => {
  for (const [name, expected] of cases) {
    it(`${name || "''"}: ${expected ?? 'runs, or is for the runtime to refuse'}`, () => {
      const wanted = { args: [name], env: ['PATH=/nowhere:/bin'], cwd: '/' };
      const found = findUnrunnable(CRUN, task.pid, wanted);
      assert.equal(found && `exec ${found.program}: ${found.reason}`, expected);
    });
  }

  it('is certain of nothing when there is no process', () => {
    const wanted = { args: ['/x/garbage'], env: [], cwd: '/' };
    assert.equal(findUnrunnable(CRUN, 2 ** 22 - 1, wanted), undefined);
    assert.equal(findUnrunnable({ name: 'kata' }, task.pid, wanted), undefined);
  });
});

async function text(stdio: TaskStdio | undefined): Promise<string> {
  let all = '';
  for await (const { stream, data } of stdio?.output ?? []) all += `${stream}: ${data}`;
  return all.replace('\r\n', '\n');
}

describe('programs that the kernel refuses', () => {
  for (const runtime of [CRUN, RUNC]) {
    it(`begin, say why and end with 255 under ${runtime.name}`, async () => {
      for (const terminal of [false, true]) {
        const stream = terminal ? 'stdout' : 'stderr';
        const options = { runtime, input: { config: { Tty: terminal } }, task: { terminal } };
        const request = world.request(['/x/garbage'], options);
        const refused = await world.service.create(request);
        const stdio = await refused.attach();
        await refused.start();
        assert.equal(await text(stdio), `${stream}: exec /x/garbage: exec format error\n`);
        assert.equal((await refused.exited).code, 255);
        assert.match(readFileSync(request.logPath, 'utf8'), / exec \/x\/garbage: exec format error/);
        await refused.delete();
      }
      const request = world.request(['sleep', '60'], { runtime });
      const running = await world.service.create(request);
      await running.start();
      for (const attach of [true, false]) {
        const process = { ...request.spec.process!, args: ['/x/lost'] };
        const exec = await running.exec({ execId: newId(), process, openStdin: false }, { attach });
        const said = await text(exec.stdio);
        assert.equal(said, attach ? 'stderr: exec /x/lost: no such file or directory\n' : '');
        assert.equal((await exec.exited).code, 255);
      }
      await running.delete();
    });
  }
});
