import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { deleteTree } from './delete-tree.ts';
import { type Fd, O } from './fd.ts';
import { mount, umountIfMounted } from './mount.ts';
import { openat2 } from './openat2.ts';
import { removeTree, TreeRemoval } from './remove-tree.ts';
import { TreeCursor } from './tree-cursor.ts';

const DEPTH = 10_000;
let base: string;
let parent: Fd;

beforeEach(() => {
  base = mkdtempSync('/var/tmp/wharf-remove-');
  parent = openat2(base, '.', { flags: O.PATH | O.DIRECTORY });
});
afterEach(() => {
  parent.close();
  umountIfMounted(join(base, 'tree/mounted'), { detach: true });
  execFileSync('rm', ['-rf', base]);
});

const descriptors = () => readdirSync('/proc/self/fd').length;

/** Made step by step, as a container does it, since no path may be so long. */
function makeDeep(name: string): void {
  const script = `for (1..${DEPTH}) { mkdir "d"; chdir "d" or die; open F, ">f"; close F }`;
  mkdirSync(join(base, name));
  execFileSync('perl', ['-e', script], { cwd: join(base, name) });
}

function makeWide(name: string, files: number): void {
  for (let at = 0; at < files; at++) {
    const folder = join(base, name, String(at % 7));
    if (at < 7) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, String(at)), 'x');
  }
}

describe('the removal of a tree', () => {
  it(`goes ${DEPTH} folders deep with a few descriptors`, () => {
    makeDeep('tree');
    const before = descriptors();
    let [most, files] = [0, 0];
    using removal = new TreeRemoval(parent, 'tree', {
      onFile: () => {
        files++;
        if (files % 500 === 0) most = Math.max(most, descriptors());
      },
    });
    while (!removal.step(1000));
    assert.equal(files, DEPTH);
    assert.ok(most <= before + 4, `${most - before} more`);
    assert.deepEqual(readdirSync(base), []);
  });

  it('never follows a link and names what is gone', () => {
    makeWide('kept', 7);
    mkdirSync(join(base, 'tree'));
    symlinkSync('../kept', join(base, 'tree/link'));
    linkSync(join(base, 'kept/0/0'), join(base, 'tree/hard'));
    const links: number[] = [];
    removeTree(parent, 'tree', ({ nlink }) => links.push(nlink));
    assert.deepEqual(links.sort(), [1, 2]);
    assert.equal(readdirSync(join(base, 'kept')).length, 7);
    symlinkSync('kept', join(base, 'top'));
    removeTree(parent, 'top');
    assert.deepEqual(readdirSync(base), ['kept']);
  });

  it('leaves what is mounted there, says so, and removes all else', () => {
    makeWide('tree', 14);
    mkdirSync(join(base, 'tree/mounted'));
    mount({ source: 'tmpfs', target: join(base, 'tree/mounted'), type: 'tmpfs' });
    writeFileSync(join(base, 'tree/mounted/file'), 'x');
    assert.throws(() => removeTree(parent, 'tree'), /EBUSY/);
    assert.deepEqual(readdirSync(join(base, 'tree')), ['mounted']);
    assert.deepEqual(readdirSync(join(base, 'tree/mounted')), ['file']);
  });

  it('stops before a large file and after so many names', () => {
    makeWide('tree', 20);
    execFileSync('dd', ['if=/dev/zero', `of=${base}/tree/0/large`, 'bs=1M', 'count=2', 'status=none']);
    using removal = new TreeRemoval(parent, 'tree', { largest: 1 << 20 });
    assert.equal(removal.step(5), false);
    for (let round = 0; round < 20; round++) assert.equal(removal.step(5), false);
    assert.ok(existsSync(join(base, 'tree/0/large')));
    removeTree(parent, 'tree');
    assert.deepEqual(readdirSync(base), []);
  });

  it('takes names that are not UTF-8 and refuses one that is not there', () => {
    mkdirSync(join(base, 'tree'));
    writeFileSync(Buffer.concat([Buffer.from(`${base}/tree/`), Buffer.from([0xff, 0x61])]), 'x');
    removeTree(parent, 'tree');
    assert.deepEqual(readdirSync(base), []);
    assert.throws(() => removeTree(parent, 'tree'), { kind: 'not-found' });
  });
});

describe('the deletion of a path', () => {
  it('takes small trees at once, and is silent about what is not there', async () => {
    makeWide('tree', 30);
    const deleted = deleteTree(join(base, 'tree'));
    assert.deepEqual(readdirSync(base), []);
    await deleted;
    await deleteTree(join(base, 'tree'));
    await deleteTree(join(base, 'no/such'));
  });

  it('takes deep, wide and large ones in a thread, several together', async () => {
    makeDeep('deep');
    makeWide('wide', 3000);
    writeFileSync(join(base, 'file'), Buffer.alloc(2 << 20, 1));
    truncateSync(join(base, 'file'), 1 << 30);
    await Promise.all(['deep', 'wide', 'file'].map((name) => deleteTree(join(base, name))));
    assert.deepEqual(readdirSync(base), []);
  });

  it('brings the reason out of the thread', async () => {
    makeWide('tree', 1000);
    mkdirSync(join(base, 'tree/mounted'));
    mount({ source: 'tmpfs', target: join(base, 'tree/mounted'), type: 'tmpfs' });
    await assert.rejects(deleteTree(join(base, 'tree')), { kind: 'conflict', message: /EBUSY/ });
    assert.deepEqual(readdirSync(join(base, 'tree')), ['mounted']);
  });
});

describe('a cursor in a tree', () => {
  it('goes on in what is left of its way when folders are moved from under it', () => {
    mkdirSync(join(base, 'tree/a/b/c'), { recursive: true });
    mkdirSync(join(base, 'outside'));
    using cursor = new TreeCursor(join(base, 'tree'));
    for (const name of ['a', 'b', 'c']) assert.ok(cursor.enter(name));
    renameSync(join(base, 'tree/a/b/c'), join(base, 'outside/c'));
    cursor.leave();
    assert.equal(cursor.depth, 2);
    assert.ok(!cursor.enter('c'));
    renameSync(join(base, 'tree/a/b'), join(base, 'outside/b'));
    mkdirSync(join(base, 'outside/b/d'));
    assert.ok(cursor.enter('d'));
    renameSync(join(base, 'outside/b/d'), join(base, 'outside/d'));
    mkdirSync(join(base, 'tree/a/b'));
    cursor.leave();
    assert.equal(cursor.depth, 1);
    assert.ok(cursor.enter('b'));
  });

  it('enters no link, file or missing name', () => {
    symlinkSync('/', join(base, 'link'));
    writeFileSync(join(base, 'file'), '');
    using cursor = new TreeCursor(base);
    for (const name of ['link', 'file', 'missing']) assert.ok(!cursor.enter(name), name);
    assert.equal(cursor.depth, 0);
  });
});
