import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from './command.ts';
import type { TestDaemon } from './daemon.ts';

const APPLETS = [
  'sh',
  'cat',
  'echo',
  'id',
  'ls',
  'sleep',
  'touch',
  'stat',
  'mkdir',
  'true',
  'false',
  'env',
  'test',
];

/**
 * Makes an image of static busybox with the given Dockerfile instructions (`VOLUME /data`); `fill` may add files to its
 * tree first.
 */
export async function importImage(
  daemon: TestDaemon,
  name: string,
  changes: string[],
  fill: (tree: string) => void = () => undefined,
): Promise<void> {
  const tree = join(daemon.temporary, `tree-${name.replace(/\W/g, '-')}`);
  for (const directory of ['bin', 'etc', 'tmp']) mkdirSync(join(tree, directory), { recursive: true });
  copyFileSync('/bin/busybox', join(tree, 'bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(tree, 'bin', applet));
  fill(tree);
  const tar = `${tree}.tar`;
  const packed = await execute('tar', ['-C', tree, '-cf', tar, '.']);
  assert.equal(packed.code, 0, packed.stderr);
  await daemon.ok('import', ...changes.flatMap((change) => ['--change', change]), tar, name);
  rmSync(tar);
  rmSync(tree, { recursive: true });
}
