import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WharfError } from '../../base/index.ts';
import { containerBytes, snapshotBytes } from './footprint.ts';

const du = (...paths: string[]) =>
  execFileSync('du', ['-s', '--block-size=1', ...paths], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + Number.parseInt(line, 10), 0);

/** A container `c` with a folder of overlay's, logs, and a mount point. */
function scratch() {
  const root = mkdtempSync(join(tmpdir(), 'wharf-footprint-'));
  const paths = { containers: join(root, 'containers'), mounts: join(root, 'mounts') };
  const own = join(root, 'overlay/7');
  for (const path of [join(own, 'fs/etc'), join(own, 'work/work'), join(paths.containers, 'c')])
    mkdirSync(path, { recursive: true });
  writeFileSync(join(own, 'fs/etc/motd'), 'x'.repeat(5_000));
  writeFileSync(join(paths.containers, 'c/c-json.log'), 'x'.repeat(100_000));
  writeFileSync(join(paths.containers, 'c/c-json.log.1.gz'), 'x'.repeat(10_000));
  const snapshots = {
    stat: (key: string) => (key === 'c' ? { key, kind: 'active' as const, parent: undefined } : undefined),
    directory: (key: string) => {
      if (key === 'c') return join(own, 'fs');
      throw new WharfError('not-found', `snapshot ${key} does not exist`);
    },
  };
  return {
    own,
    paths,
    deps: { snapshots, paths },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

test('a container takes what du counts: its files, what overlay keeps, logs whole and rotated', async () => {
  using place = scratch();
  const { own, paths, deps } = place;
  assert.equal(await containerBytes(deps, 'c'), du(own, join(paths.containers, 'c')));
  mkdirSync(join(paths.mounts, 'c'), { recursive: true });
  assert.equal(
    await containerBytes(deps, 'c'),
    du(own, join(paths.containers, 'c'), join(paths.mounts, 'c')),
  );
});

test('holes take nothing, and hard links count once', async () => {
  using place = scratch();
  const { own, deps } = place;
  const before = await containerBytes(deps, 'c');
  writeFileSync(join(own, 'fs/sparse'), 'x');
  truncateSync(join(own, 'fs/sparse'), 1 << 30);
  for (const name of ['one', 'two', 'three']) linkSync(join(own, 'fs/sparse'), join(own, 'fs', name));
  assert.equal(await containerBytes(deps, 'c'), before + 4096);
});

test('what is gone takes nothing', async () => {
  using place = scratch();
  const { own, paths, deps } = place;
  assert.equal(await containerBytes(deps, 'other'), 0);
  assert.equal(await snapshotBytes(deps, 'other'), 0);
  rmSync(own, { recursive: true });
  assert.equal(await containerBytes(deps, 'c'), du(join(paths.containers, 'c')));
  rmSync(join(paths.containers, 'c'), { recursive: true });
  assert.equal(await containerBytes(deps, 'c'), 0);
});
