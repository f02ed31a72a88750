import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isKind, newId } from '../base/index.ts';
import { diagnoseProgram } from './diagnose.ts';
import { plainText, programFailure } from './failure.ts';
import { CRUN, openRuntimeWorld, RUNC, type RuntimeWorld } from './test-fixture.ts';
import type { Task } from './types.ts';

const SHIM =
  'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ';
const CREATE = `${SHIM}unable to start container process: error during container init: `;
const EXEC = 'OCI runtime exec failed: exec failed: unable to start container process: ';
const HINT =
  ': Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type';

let root = '';
before(() => {
  root = mkdtempSync(join(tmpdir(), 'wharf-failure-'));
  mkdirSync(`${root}/x/dir`, { recursive: true });
  mkdirSync(`${root}/bin`);
  writeFileSync(`${root}/x/plain`, 'text');
  writeFileSync(`${root}/bin/prog`, '#!/bin/sh\n');
  chmodSync(`${root}/bin/prog`, 0o755);
  writeFileSync(`${root}/bin/notexec`, 'text');
  symlinkSync('/nowhere', `${root}/x/dangling`);
  symlinkSync('loop', `${root}/x/loop`);
  symlinkSync('/bin/prog', `${root}/x/absolute`);
  symlinkSync('../../../../etc', `${root}/x/outside`);
});
after(() => rmSync(root, { recursive: true, force: true }));

const env = ['PATH=/sbin:/bin'];
const wanted = (program: string, cwd = '/') => ({ args: [program], env, cwd });
const diagnose = (program: string, cwd?: string) =>
  diagnoseProgram({ root, mounts: [] }, wanted(program, cwd));

describe('diagnoseProgram', () => {
  const table: [string, string, string | undefined][] = [
    ['nosuch', '/', 'search ENOENT'],
    ['', '/', 'search ENOENT'],
    ['notexec', '/', 'search ENOENT'],
    ['prog', '/', undefined],
    ['/bin/prog', '/', undefined],
    ['./prog', '/bin', undefined],
    ['bin/prog', '/', undefined],
    ['/x/absolute', '/', undefined],
    ['/no/such', '/', 'program ENOENT'],
    ['/x/dangling', '/', 'program ENOENT'],
    ['/x/loop', '/', 'program ELOOP'],
    ['/x/dir', '/', 'program EISDIR'],
    ['./x', '/', 'program EISDIR'],
    ['/x/plain', '/', 'program EACCES'],
    ['/x/plain/sub', '/', 'program ENOTDIR'],
    ['/bin/prog', '/x/plain', 'cwd ENOTDIR'],
    ['/bin/prog', '/not/there', 'cwd ENOENT'],
  ];
  for (const [program, cwd, expected] of table) {
    it(`${program || "''"} in ${cwd}: ${expected ?? 'nothing wrong'}`, () => {
      const problem = diagnose(program, cwd);
      assert.equal(problem && `${problem.about} ${problem.code}`, expected);
    });
  }

  it('never looks outside of the root', () => {
    assert.deepEqual(diagnose('/x/outside/hostname'), { about: 'program', code: 'ENOENT' });
    assert.deepEqual(diagnose('/../../../bin/sh'), { about: 'program', code: 'ENOENT' });
  });

  it('takes the last PATH, and none as empty', () => {
    const view = { root, mounts: [] };
    const process = { args: ['prog'], cwd: '/', env: ['PATH=/bin', 'PATH=/x'] };
    assert.equal(diagnoseProgram(view, process)?.about, 'search');
    assert.equal(diagnoseProgram(view, { ...process, env: [] })?.about, 'search');
    assert.equal(diagnoseProgram(view, { ...process, env: [], cwd: '/bin' }), undefined);
  });

  it('looks into bind mounts, and leaves other mounts alone', () => {
    const mounts = [
      { destination: '/data', source: `${root}/x`, options: ['rbind'] },
      { destination: '/data/bin', source: `${root}/bin`, options: ['bind', 'ro'] },
      { destination: '/one', source: `${root}/bin/prog`, options: ['bind'] },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
    ];
    const at = (program: string) => diagnoseProgram({ root, mounts }, wanted(program));
    assert.equal(at('/data/dir')?.code, 'EISDIR');
    assert.equal(at('/data/nosuch')?.code, 'ENOENT');
    assert.equal(at('/data/bin/prog'), undefined);
    assert.equal(at('/one'), undefined);
    assert.equal(at('/one/sub')?.code, 'ENOTDIR');
    assert.equal(at('/tmp/anything'), undefined);
  });
});

describe('programFailure', () => {
  const failure = (text: string, program: string, step: 'create' | 'exec', cwd = '/') =>
    programFailure({ text, process: wanted(program, cwd), view: { root, mounts: [] }, step });

  it("says Docker's texts for what is seen to be wrong", () => {
    const missing = failure('executable file `nosuch` not found in $PATH: No such file', 'nosuch', 'create');
    assert.equal(missing.message, `${CREATE}exec: "nosuch": executable file not found in $PATH`);
    assert.ok(isKind(missing, 'not-found'));
    const plain = failure('open executable: Permission denied', '/x/plain', 'exec');
    assert.equal(plain.message, `${EXEC}exec: "/x/plain": permission denied`);
    assert.ok(isKind(plain, 'forbidden'));
    const dir = failure('open executable: Permission denied', '/x/dir', 'create');
    assert.equal(dir.message, `${CREATE}exec: "/x/dir": is a directory: permission denied`);
    const loop = failure('open executable: Too many levels', '/x/loop', 'create');
    assert.equal(loop.message, `${CREATE}exec: "/x/loop": stat /x/loop: too many levels of symbolic links`);
    const below = failure('open executable: x', '/x/plain/sub', 'exec');
    assert.equal(below.message, `${EXEC}exec: "/x/plain/sub": stat /x/plain/sub: not a directory${HINT}`);
  });

  it('says why the working directory is none', () => {
    const gone = failure('chdir `/gone`: No such file or directory', 'prog', 'exec', '/gone');
    assert.equal(
      gone.message,
      `${EXEC}chdir to cwd ("/gone") set in config.json failed: no such file or directory`,
    );
    const file = failure('chdir `/x/plain`: Not a directory', 'prog', 'exec', '/x/plain');
    assert.equal(
      file.message,
      `${EXEC}chdir to cwd ("/x/plain") set in config.json failed: not a directory${HINT}`,
    );
  });

  it('finds the reason when the runtime told it to the terminal', () => {
    assert.equal(
      failure('', 'nosuch', 'exec').message,
      `${EXEC}exec: "nosuch": executable file not found in $PATH`,
    );
    assert.equal(failure('', 'prog', 'exec').message, `${EXEC}the runtime ended without a word`);
  });

  it('keeps to the words of the runtime where nothing is seen, or where it is not the program', () => {
    const denied = failure('exec /bin/prog: Operation not permitted', '/bin/prog', 'create');
    assert.equal(denied.message, `${CREATE}exec: "/bin/prog": permission denied`);
    const vanished = failure('executable file `prog` not found', 'prog', 'create');
    assert.ok(isKind(vanished, 'not-found'));
    const mount = failure('mount `/a` to `b`: No such file or directory', 'nosuch', 'create');
    assert.equal(mount.message, `${CREATE}mount \`/a\` to \`b\`: No such file or directory`);
    assert.ok(isKind(mount, 'invalid'));
  });
});

describe('plainText', () => {
  it('takes colours, times and log lines away', () => {
    assert.equal(plainText('\x1b[1;31m2026-11-23T14:41:41.670425Z: exec: no\x1b[0m\n'), 'exec: no');
    assert.equal(plainText('time="x" level=error msg="exec: \\"a\\": no"\n'), 'exec: "a": no');
    assert.equal(plainText('  one\n\ntwo '), 'one\ntwo');
  });
});

describe('failures of real runtimes', () => {
  let world: RuntimeWorld;
  before(() => {
    world = openRuntimeWorld();
    mkdirSync(`${world.rootfs}/x/dir`, { recursive: true });
    writeFileSync(`${world.rootfs}/x/plain`, 'text');
    symlinkSync('loop', `${world.rootfs}/x/loop`);
  });
  after(() => world[Symbol.asyncDispose]());

  const expected: [string, string][] = [
    ['nosuch', 'exec: "nosuch": executable file not found in $PATH'],
    ['/no/such', 'exec: "/no/such": stat /no/such: no such file or directory'],
    ['/x/dir', 'exec: "/x/dir": is a directory: permission denied'],
    ['/x/plain', 'exec: "/x/plain": permission denied'],
    ['/x/loop', 'exec: "/x/loop": stat /x/loop: too many levels of symbolic links'],
  ];
  const message = (work: Promise<unknown>) =>
    work.then(
      () => 'nothing',
      (thrown: Error) => thrown.message,
    );

  for (const runtime of [CRUN, RUNC]) {
    it(`${runtime.name} create, with and without a terminal`, async () => {
      for (const [program, text] of expected) {
        for (const terminal of [false, true]) {
          const input = { config: { Tty: terminal } };
          const request = world.request([program], { runtime, input, task: { terminal } });
          assert.equal(await message(world.service.create(request)), CREATE + text);
        }
      }
      assert.deepEqual(await world.service.leftovers(), []);
    });

    it(`${runtime.name} exec, with and without a terminal, attached and not`, async () => {
      const request = world.request(['sleep', '60'], { runtime });
      const task: Task = await world.service.create(request);
      await task.start();
      for (const [program, text] of expected) {
        for (const terminal of [false, true]) {
          for (const attach of [false, true]) {
            const process = { ...request.spec.process!, args: [program], terminal };
            const exec = task.exec({ execId: newId(), process, openStdin: false }, { attach });
            assert.equal(await message(exec), EXEC + text);
          }
        }
      }
      await task.delete();
    });
  }
});
