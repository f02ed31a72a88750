import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { diskUsage } from './disk-usage.ts';
import { mount, umountIfMounted } from './mount.ts';

let top: string;
beforeEach(() => {
  top = mkdtempSync('/var/tmp/wharf-usage-');
});
afterEach(() => {
  umountIfMounted(join(top, 'mounted'), { detach: true });
  execFileSync('rm', ['-rf', top]);
});

const descriptors = () => readdirSync('/proc/self/fd').length;
const du = () => {
  const bytes = execFileSync('du', ['-sx', '--block-size=1', top], { encoding: 'utf8' });
  return Number.parseInt(bytes, 10);
};

test('a tree takes what du says: holes, hard links, other filesystems', async () => {
  for (let at = 0; at < 200; at++) {
    const folder = join(top, String(at % 7), String(at % 3));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `f${at}`), Buffer.alloc(at * 50, 1));
    if (at % 5 === 0) linkSync(join(folder, `f${at}`), join(top, `link${at}`));
  }
  writeFileSync(join(top, 'sparse'), 'x');
  truncateSync(join(top, 'sparse'), 2 ** 40);
  mkdirSync(join(top, 'mounted'));
  mount({ source: 'tmpfs', target: join(top, 'mounted'), type: 'tmpfs' });
  writeFileSync(join(top, 'mounted/large'), Buffer.alloc(500_000, 1));
  assert.equal((await diskUsage(top)).bytes, du());
});

test('a tree that is deeper than there may be descriptors is counted whole with a few', async () => {
  // Made step by step, since no path may be so long.
  const depth = 3_000;
  const script = `cd ${top}; perl -e 'for (1..${depth}) { mkdir "d"; chdir "d" or die }'`;
  execFileSync('sh', ['-c', script]);
  const before = descriptors();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, descriptors());
  }, 20);
  try {
    assert.equal((await diskUsage(top)).inodes, depth + 1);
  } finally {
    clearInterval(watch);
  }
  assert.ok(most < before + 20, `${most - before} descriptors more`);
  assert.equal(descriptors(), before);
});

test('directories that are moved away meanwhile end nothing and lead nowhere', async () => {
  const outside = join(top, 'outside');
  mkdirSync(outside);
  for (let at = 0; at < 300; at++) writeFileSync(join(outside, String(at)), 'x');
  const tree = join(top, 'tree');
  for (let at = 0; at < 60; at++) mkdirSync(join(tree, `a${at}/b/c`), { recursive: true });
  const before = descriptors();
  let moved = 0;
  const mover = setInterval(() => {
    if (moved >= 60) return;
    renameSync(join(tree, `a${moved}/b`), join(outside, `moved${moved}`));
    moved++;
  }, 0);
  try {
    for (let round = 0; round < 5; round++) {
      const { inodes } = await diskUsage(tree);
      assert.ok(inodes >= 61 && inodes <= 181, String(inodes));
    }
  } finally {
    clearInterval(mover);
  }
  assert.equal(descriptors(), before);
  rmSync(tree, { recursive: true });
});
