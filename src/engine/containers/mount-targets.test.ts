import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { checkTmpfsWords } from './mount-spec.ts';
import { makeMountTargets } from './mount-targets.ts';

let top: string;
let root: string;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'wharf-targets-'));
  root = join(top, 'root');
  mkdirSync(root);
  mkdirSync(join(top, 'dir'));
  writeFileSync(join(top, 'file'), '');
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const bind = (destination: string, source = 'dir') => ({
  destination,
  type: 'bind',
  source: join(top, source),
});

test('what a mount of a directory lacks is made, 0755, whatever the umask is', () => {
  const before = process.umask(0o077);
  try {
    makeMountTargets(root, [{ destination: '/t/u', type: 'tmpfs' }, bind('/a/b/c')]);
  } finally {
    process.umask(before);
  }
  for (const path of ['t', 't/u', 'a', 'a/b', 'a/b/c'])
    assert.equal(statSync(join(root, path)).mode & 0o7777, 0o755, path);
});

test('nothing is made for files, beneath other mounts, and where the runtime has filesystems of its own', () => {
  makeMountTargets(root, [
    bind('/f', 'file'),
    bind('/gone', 'none'),
    bind('/m'),
    bind('/m/deeper'),
    { destination: '/dev/shm', type: 'tmpfs' },
    bind('/proc/x'),
  ]);
  assert.equal(existsSync(join(root, 'm')), true);
  for (const path of ['f', 'gone', 'm/deeper', 'dev', 'proc'])
    assert.equal(existsSync(join(root, path)), false, path);
});

test('a link leads nowhere out of the root, and a file in the way is left to the runtime', () => {
  mkdirSync(join(top, 'outside'));
  symlinkSync('/outside', join(root, 'absolute'));
  symlinkSync('../../outside', join(root, 'relative'));
  writeFileSync(join(root, 'plain'), 'kept');
  makeMountTargets(root, [bind('/absolute/x'), bind('/relative/x'), bind('/plain/x'), bind('/plain')]);
  assert.equal(existsSync(join(top, 'outside/x')), false);
  assert.equal(statSync(join(root, 'plain')).isFile(), true);
});

test('words that no tmpfs has are refused', () => {
  checkTmpfsWords(['noexec', 'size=1m', 'mode=1777', 'uid=5', 'nr_inodes=7', 'shared', 'ro']);
  for (const [word, named] of [
    ['bogus', 'bogus'],
    ['huge=always', 'huge'],
    ['size', 'size'],
    ['ro=1', 'ro'],
  ] as const)
    assert.throws(() => checkTmpfsWords(['rw', word]), { message: `invalid tmpfs option "${named}"` });
});
