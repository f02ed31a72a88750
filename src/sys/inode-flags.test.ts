import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { spreadBelow } from './inode-flags.ts';
import { mount, umount } from './mount.ts';

const base = mkdtempSync(join(tmpdir(), 'wharf-inode-flags-'));
after(() => rmSync(base, { recursive: true, force: true }));

test('the flag is the one that lsattr shows as T, and the others stay', (context) => {
  const directory = join(base, 'ext4');
  const image = join(base, 'image');
  mkdirSync(directory);
  execFileSync('truncate', ['-s', '16M', image]);
  execFileSync('mkfs.ext4', ['-q', image]);
  try {
    execFileSync('mount', ['-o', 'loop', image, directory], { stdio: 'pipe' });
  } catch (thrown) {
    context.skip(`no loop device here: ${(thrown as Error).message}`);
    return;
  }
  try {
    const made = join(directory, 'made');
    mkdirSync(made);
    execFileSync('chattr', ['+A', made]);
    assert.equal(spreadBelow(made), true);
    assert.equal(spreadBelow(made), true, 'twice is as once');
    const shown = execFileSync('lsattr', ['-d', made], { encoding: 'utf8' }).split(' ')[0] as string;
    assert.match(shown, /A/);
    assert.match(shown, /T/);
  } finally {
    umount(directory);
  }
});

test('where there is no such flag nothing happens', () => {
  const directory = join(base, 'tmpfs');
  mkdirSync(directory);
  mount({ source: 'tmpfs', target: directory, type: 'tmpfs', data: 'size=64k' });
  try {
    assert.equal(typeof spreadBelow(directory), 'boolean');
    mkdirSync(join(directory, 'still-works'));
  } finally {
    umount(directory);
  }
  assert.throws(() => spreadBelow(join(base, 'none')), { kind: 'not-found' });
});
