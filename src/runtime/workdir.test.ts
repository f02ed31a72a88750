import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { prepareWorkdir } from './workdir.ts';

let base: string;
let root: string;
let outside: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-workdir-'));
  root = join(base, 'root');
  outside = join(base, 'outside');
  mkdirSync(root);
  mkdirSync(outside);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test('a missing folder is made, with all above it, for everyone to enter', () => {
  prepareWorkdir(root, '/a/b/../c');
  assert.deepEqual(readdirSync(`${root}/a`), ['c']);
  const { mode, uid, gid } = statSync(`${root}/a/c`);
  assert.deepEqual([mode & 0o7777, uid, gid], [0o755, 0, 0]);
});

test('one that is there stays as it is', () => {
  mkdirSync(`${root}/a`, { mode: 0o700 });
  writeFileSync(`${root}/a/file`, 'x');
  prepareWorkdir(root, '/a');
  assert.equal(statSync(`${root}/a`).mode & 0o777, 0o700);
  prepareWorkdir(root, '');
  prepareWorkdir(root, '/');
});

test('links lead nowhere but into the root', () => {
  symlinkSync(outside, `${root}/absolute`);
  symlinkSync('../../../../../../../../../../..', `${root}/up`);
  symlinkSync('/within', `${root}/link`);
  for (const dir of ['/absolute/x', '/up/escaped', '/../../escaped2']) {
    try {
      prepareWorkdir(root, dir);
    } catch (thrown) {
      assert.ok(thrown instanceof Error);
    }
  }
  assert.deepEqual(readdirSync(outside), []);
  for (const name of ['/escaped', '/escaped2']) assert.ok(!existsSync(name), name);
  mkdirSync(`${root}/within`);
  prepareWorkdir(root, '/link/x');
  assert.ok(existsSync(`${root}/within/x`));
});

test('a file in the way is told', () => {
  writeFileSync(`${root}/file`, 'x');
  for (const dir of ['/file', '/file/below'])
    assert.throws(() => prepareWorkdir(root, dir), { kind: 'invalid', message: /is not a directory/ }, dir);
});

test('links of processes are refused, however they are spelled', () => {
  for (const dir of [
    '/proc/self/fd/7',
    '/proc/self/cwd',
    '/proc/1/root/etc',
    '/proc/thread-self/fd',
    '/a/../proc/self/fd/8',
    '//proc/self//fd/8',
    '/proc/1/task/1/cwd',
  ])
    assert.throws(() => prepareWorkdir(root, dir), { kind: 'invalid' }, dir);
});

test('what the runtime mounts is not made, and a relative path is none', () => {
  for (const dir of ['/proc/x', '/sys/x', '/dev/x']) prepareWorkdir(root, dir);
  assert.deepEqual(readdirSync(root), []);
  assert.throws(() => prepareWorkdir(root, 'a/b'), {
    message: "the working directory 'a/b' is invalid, it needs to be an absolute path",
  });
});
