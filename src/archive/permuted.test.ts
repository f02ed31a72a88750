import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { applyLayer, packTree, readTar, type TarInput, TarPacker } from './index.ts';

function generator(seed: number) {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}
type Random = ReturnType<typeof generator>;
type Entry = TarInput & { body?: Buffer };

/** A root to unpack into, deep enough that a few `..` still end in a place that is watched. */
function place() {
  const top = mkdtempSync('/var/tmp/wharf-permuted-');
  const root = join(top, 'watched/root');
  mkdirSync(join(top, 'watched/canary'), { recursive: true });
  writeFileSync(join(top, 'watched/canary/file'), 'untouched');
  return { top, root, [Symbol.dispose]: () => rmSync(top, { recursive: true, force: true }) };
}

/** All of the watched tree except what is in the root. */
function watched(path: string, hash = createHash('sha256')): string {
  const stat = lstatSync(path, { bigint: true });
  hash.update(
    `${path}|${stat.mode}|${stat.uid}|${stat.isDirectory() ? '' : `${stat.mtimeNs}|${stat.nlink}`}\n`,
  );
  if (stat.isFile()) hash.update(readFileSync(path));
  else if (stat.isSymbolicLink()) hash.update(readlinkSync(path));
  else if (stat.isDirectory() && !path.endsWith('/root'))
    for (const name of readdirSync(path).sort()) watched(join(path, name), hash);
  return path.endsWith('root') ? '' : hash.copy().digest('hex');
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const NAMES = [
  'a',
  'b',
  'a/b',
  'a/b/c',
  'b/a',
  './a',
  'a/../b',
  '/a',
  'a/.wh.b',
  '.wh.a',
  'a/.wh..wh..opq',
  '../canary/file',
  'a/file',
  'b/canary/file',
];

function hostileEntry(random: Random, outside: string): Entry {
  const name = random.of(NAMES);
  const target = random.of([
    '..',
    '../canary',
    '../../watched/canary',
    outside,
    `${outside}/file`,
    'a',
    'b',
    '.',
    '/',
    '/proc/self/root',
    `../../../..${outside}`,
  ]);
  const shared = {
    mode: 0o4777,
    uid: 9,
    gid: 9,
    mtimeNs: 5n,
    xattrs: new Map([['user.evil', Buffer.from('x')]]),
  };
  const kind = random.below(7);
  if (kind < 2) return { name, ...shared, body: Buffer.from('evil') };
  if (kind < 4) return { name, type: 'symlink', linkName: target };
  if (kind === 4) return { name, type: 'link', linkName: random.of([target, ...NAMES]) };
  return kind === 5
    ? { name: `${name}/`, ...shared }
    : { name, ...shared, type: random.of(['fifo', 'char'] as const), devMajor: 1, devMinor: 3 };
}

const story = (entries: Entry[]) =>
  JSON.stringify(entries.map(({ name, type, linkName }) => [name, type, linkName]));

/** The bytes of files and links below a directory, each inode once: what a layer's size is made of. */
function apparent(path: string, seen = new Set<number>()): number {
  let bytes = 0;
  for (const name of readdirSync(path)) {
    const stat = lstatSync(join(path, name));
    if (stat.isDirectory()) bytes += apparent(join(path, name), seen);
    else if ((stat.isFile() || stat.isSymbolicLink()) && !seen.has(stat.ino)) bytes += stat.size;
    seen.add(stat.ino);
  }
  return bytes;
}

describe('random hostile archives', () => {
  for (const form of ['overlay', 'plain'] as const) {
    it(`as ${form} change nothing outside their root, in any order of links, files and directories`, async () => {
      const random = generator(form.length);
      using home = place();
      mkdirSync(home.root);
      const before = watched(join(home.top, 'watched'));
      let [refused, whole] = [0, 0];
      for (let round = 0; round < 500; round++) {
        rmSync(home.root, { recursive: true });
        mkdirSync(home.root);
        const packer = new TarPacker();
        const entries = Array.from({ length: 2 + random.below(7) }, () =>
          hostileEntry(random, join(home.top, 'watched/canary')),
        );
        for (const entry of entries) packer.add(entry);
        try {
          const counted = await applyLayer(once(packer.finish()), home.root, { form });
          assert.equal(counted, apparent(home.root), `round ${round}: ${story(entries)}`);
          whole += 1;
        } catch (thrown) {
          if (thrown instanceof assert.AssertionError) throw thrown;
          assert.ok(isKind(thrown, 'invalid'), `${String(thrown)}: ${story(entries)}`);
          refused += 1;
        }
        assert.equal(watched(join(home.top, 'watched')), before, `round ${round}: ${story(entries)}`);
      }
      assert.ok(refused > 50 && whole > 50, `${refused} refused, ${whole} whole`);
    });
  }
});

describe('names that look alike', () => {
  it('stay apart: composed and decomposed, upper and lower case, with blanks, drives and backslashes', async () => {
    const names = [
      'é',
      'e\u0301',
      'File',
      'file',
      'C:',
      'c:\\x',
      'a\\..\\b',
      'x ',
      'x',
      'x.',
      '\u200bx',
      'K',
      '\u212a',
      'ſ',
      's',
      'COM1',
      '~',
    ];
    using home = place();
    mkdirSync(home.root);
    const packer = new TarPacker();
    for (const name of names) packer.add({ name, body: Buffer.from(name) });
    await applyLayer(once(packer.finish()), home.root);
    assert.deepEqual(readdirSync(home.root).sort(), [...names].sort());
    for (const name of names) assert.equal(readFileSync(join(home.root, name), 'utf8'), name);
    const packed: string[] = [];
    for await (const entry of readTar(packTree(home.root, { mode: 'tree' }))) packed.push(entry.name);
    assert.deepEqual(packed.sort(), [...names].sort());
  });

  it('a link does not catch what is written under a name that only looks like it', async () => {
    using home = place();
    mkdirSync(home.root);
    const packer = new TarPacker();
    for (const [link, dir] of [
      ['e\u0301', 'é'],
      ['L', 'l'],
      ['\u212a', 'K'],
    ] as const)
      packer
        .add({ name: link, type: 'symlink', linkName: '../canary' })
        .add({ name: `${dir}/file`, body: Buffer.from('mine') });
    await applyLayer(once(packer.finish()), home.root);
    assert.equal(readFileSync(join(home.top, 'watched/canary/file'), 'utf8'), 'untouched');
    for (const dir of ['é', 'l', 'K'])
      assert.equal(readFileSync(join(home.root, dir, 'file'), 'utf8'), 'mine');
  });
});
