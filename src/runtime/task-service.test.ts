import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isKind, newId, silentLog } from '../base/index.ts';
import { hostFacts } from './host-facts.ts';
import { loadSeccompProfile } from './spec/seccomp.ts';
import { assembleSpec } from './spec/spec.ts';
import { openTaskService } from './task-service.ts';
import type { TaskService } from './types.ts';

let root = '';
let service: TaskService;
const runtime = { name: 'crun', path: '/usr/bin/crun', args: [] };
const facts = hostFacts();

before(() => {
  root = mkdtempSync(join(tmpdir(), 'wharf-runtime-'));
  for (const dir of ['bin', 'proc', 'sys', 'dev']) mkdirSync(`${root}/rootfs/${dir}`, { recursive: true });
  cpSync('/bin/busybox', `${root}/rootfs/bin/busybox`);
  for (const name of ['sh', 'true', 'cat', 'sleep', 'echo'])
    symlinkSync('busybox', `${root}/rootfs/bin/${name}`);
  service = openTaskService({ execRoot: `${root}/exec`, conmonPath: '/usr/bin/conmon', log: silentLog });
});

after(async () => {
  for (const id of await service.leftovers()) await service.purge(id);
  rmSync(root, { recursive: true, force: true });
});

function request(args: string[], openStdin = false) {
  const id = newId();
  const spec = assembleSpec({
    id,
    hostname: id.slice(0, 12),
    config: {},
    hostConfig: { NetworkMode: 'none' },
    path: args[0] ?? '',
    args: args.slice(1),
    rootfs: `${root}/rootfs`,
    user: { uid: 0, gid: 0, additionalGids: [0], home: '/root', name: 'root' },
    mounts: [],
    namespaces: {},
    host: facts,
    defaults: {
      cgroupParent: '/wharf-test',
      seccomp: loadSeccompProfile('/usr/share/containers/seccomp.json'),
    },
  });
  return { id, spec, runtime, terminal: false, openStdin, stdinOnce: true, logPath: `${root}/${id}.log` };
}

test('a program runs, its code is learnt, its output is in the log', async () => {
  const asked = request(['sh', '-c', 'echo hello; exit 7']);
  const task = await service.create(asked);
  await task.start();
  assert.equal((await task.exited).code, 7);
  assert.match(readFileSync(asked.logPath, 'utf8'), / stdout F hello\n$/);
  await task.delete();
  assert.deepEqual(await service.leftovers(), []);
});

test('what is attached before the start misses nothing, and end of input reaches the program', async () => {
  const task = await service.create(request(['cat'], true));
  const stdio = await task.attach();
  await task.start();
  await stdio.write(Buffer.from('ping\n'));
  stdio.closeInput();
  const seen: Buffer[] = [];
  for await (const { data } of stdio.output) seen.push(data);
  assert.equal(Buffer.concat(seen).toString(), 'ping\n');
  assert.equal((await task.exited).code, 0);
  await task.delete();
});

test('a program that is not there is told at create, and nothing is left', async () => {
  await assert.rejects(service.create(request(['nosuch'])), (thrown) => {
    assert.ok(isKind(thrown, 'not-found'));
    assert.match((thrown as Error).message, /exec: "nosuch": executable file not found in \$PATH$/);
    return true;
  });
  assert.deepEqual(await service.leftovers(), []);
});

test('a running task is adopted, executed in, paused, killed by signal', async () => {
  const asked = request(['sleep', '60']);
  const first = await service.create(asked);
  await first.start();
  const task = await service.adopt(asked.id, runtime, false);
  assert.ok(task);
  assert.equal(task.pid, first.pid);
  const process = { ...asked.spec.process!, args: ['sh', '-c', 'exit 3'] };
  const exec = await task.exec({ execId: newId(), process, openStdin: false }, { attach: false });
  assert.equal((await exec.exited).code, 3);
  const said = await task.exec(
    { execId: newId(), process: { ...process, args: ['echo', 'hi'] }, openStdin: false },
    { attach: true },
  );
  let text = '';
  for await (const { data } of said.stdio?.output ?? []) text += data;
  assert.equal(text, 'hi\n');
  assert.equal((await said.exited).code, 0);
  await task.pause();
  await task.resume();
  assert.ok((await task.pids()).includes(task.pid));
  assert.ok(await task.stats());
  await task.kill(9);
  assert.equal((await task.exited).code, 137);
  await task.delete();
});
