import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { mount, umount } from '../sys/index.ts';
import { cleanPath, isOverlayXattr, layerPath } from './entry-path.ts';
import { applyLayer, packTree, type TarInput, TarPacker } from './index.ts';

function generator(seed: number) {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}
type Random = ReturnType<typeof generator>;

/** A tree as it should be seen: a file's text, or a directory. */
type Tree = Map<string, string | Tree>;
type Entry = TarInput & { body?: Buffer };

const NAMES = ['a', 'b', 'c'];

/**
 * One layer as a writer of images makes it (image-spec `layer.md`): whiteouts name what the layers below have, parents
 * come before what is in them, and no name comes twice. `seen` becomes what is visible with it.
 */
function layerOver(seen: Tree, random: Random, depth: number, path = ''): Entry[] {
  const entries: Entry[] = [];
  for (const name of NAMES) {
    const full = path + name;
    const below = seen.get(name);
    const action = random.below(7);
    if (action === 0 && below !== undefined) {
      entries.push({ name: `${path}.wh.${name}`, mode: 0o600 });
      seen.delete(name);
    } else if (action === 1) {
      entries.push({ name: full, body: Buffer.from(`${full} ${random.below(1000)}`) });
      seen.set(name, String(entries.at(-1)?.body));
    } else if (action >= 2 && action <= 4 && depth > 0) {
      const directory: Tree = below instanceof Map ? below : new Map();
      seen.set(name, directory);
      entries.push({ name: `${full}/`, mode: 0o755 });
      if (below instanceof Map && action === 4) {
        directory.clear();
        entries.push({ name: `${full}/.wh..wh..opq`, mode: 0o600 });
      }
      entries.push(...layerOver(directory, random, depth - 1, `${full}/`));
    }
  }
  return entries;
}

function read(path: string): Tree {
  const tree: Tree = new Map();
  for (const name of readdirSync(path).sort()) {
    const full = join(path, name);
    tree.set(name, lstatSync(full).isDirectory() ? read(full) : readFileSync(full, 'utf8'));
  }
  return tree;
}

function sorted(tree: Tree): unknown {
  return [...tree]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, inner]) => [name, inner instanceof Map ? sorted(inner) : inner]);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Shows what the layers, lowest first, make together. */
function merged<T>(base: string, layers: string[], work: (root: string) => T): T {
  const target = join(base, 'merged');
  mkdirSync(target, { recursive: true });
  mkdirSync(join(base, 'nothing'), { recursive: true });
  const lower = [...layers].reverse().join(':');
  mount({
    source: 'overlay',
    target,
    type: 'overlay',
    flags: ['ro'],
    data: `lowerdir=${lower}:${join(base, 'nothing')}`,
  });
  try {
    return work(target);
  } finally {
    umount(target);
  }
}

describe('random layers over each other', () => {
  it('show in overlayfs what the image specification says, unpacked and packed again', async (t) => {
    const random = generator(1);
    for (let round = 0; round < 12; round++) {
      const base = mkdtempSync('/var/tmp/wharf-merged-');
      t.after(() => rmSync(base, { recursive: true, force: true }));
      const seen: Tree = new Map();
      const layers: string[] = [];
      const again: string[] = [];
      for (let number = 0; number < 4; number++) {
        const packer = new TarPacker();
        for (const entry of layerOver(seen, random, 3)) packer.add(entry);
        for (const [list, kind] of [
          [layers, 'first'],
          [again, 'again'],
        ] as const) {
          const dir = join(base, `${kind}-${number}`);
          mkdirSync(dir);
          list.push(dir);
        }
        const [first, second] = [layers[number] as string, again[number] as string];
        await applyLayer(once(packer.finish()), first);
        await applyLayer(packTree(first, { mode: 'overlay-upper' }), second);
        for (const stack of [layers, again])
          assert.deepEqual(sorted(merged(base, stack, read)), sorted(seen), `round ${round}`);
      }
      rmSync(base, { recursive: true });
    }
  });
});

describe('names of entries', () => {
  it('are cleaned as paths are, whatever stands between their slashes', () => {
    const cases: [name: string, parts: string][] = [
      ['', ''],
      ['/', ''],
      ['./', ''],
      ['a', 'a'],
      ['/a//b/', 'a/b'],
      ['./a/./b', 'a/b'],
      ['a/../b', 'b'],
      ['a/b/../../c', 'c'],
      ['...', '...'],
      ['a/..', ''],
      ['..a/b..', '..a/b..'],
      [' /\\', ' /\\'],
    ];
    for (const [name, parts] of cases) assert.equal(cleanPath(name).join('/'), parts, name);
    for (const name of ['..', '/..', 'a/../..', './../a', 'a/b/../../../c', '../../../../etc/passwd'])
      assert.throws(() => cleanPath(name), { kind: 'invalid' }, name);
  });

  it('never lead out, however they are put together', () => {
    const random = generator(2);
    for (let round = 0; round < 5000; round++) {
      const name = Array.from({ length: random.below(8) }, () =>
        random.of(['a', '..', '.', '', '.wh.', '.wh..', '.wh..wh..opq', '.wh.a', 'b']),
      );
      try {
        const path = layerPath(name.join('/'));
        for (const part of 'parent' in path ? path.parent.split('/') : [])
          assert.ok(part !== '..' && !part.startsWith('.wh.'), name.join('/'));
        if ('name' in path)
          assert.ok(!['', '.', '..'].includes(path.name) && !path.name.includes('/'), name.join('/'));
      } catch (thrown) {
        if (thrown instanceof assert.AssertionError) throw thrown;
        assert.equal((thrown as { kind?: string }).kind, 'invalid');
      }
    }
  });

  it('say what a layer asks for', () => {
    assert.deepEqual(layerPath('a/.wh.b'), { kind: 'whiteout', parent: 'a', name: 'b' });
    assert.deepEqual(layerPath('a/.wh..wh..opq'), { kind: 'opaque', parent: 'a' });
    assert.deepEqual(layerPath('.wh..wh..opq'), { kind: 'opaque', parent: '' });
    assert.deepEqual(layerPath('.wh..wh.aufs/x'), { kind: 'skip' });
    assert.deepEqual(layerPath('./'), { kind: 'root' });
    assert.deepEqual(layerPath('a/wh.b'), { kind: 'entry', parent: 'a', name: 'wh.b' });
    assert.deepEqual(layerPath(`.wh.${'n'.repeat(255)}`), {
      kind: 'whiteout',
      parent: '',
      name: 'n'.repeat(255),
    });
    assert.throws(() => layerPath(`.wh.${'n'.repeat(256)}`), { kind: 'invalid' });
  });

  it('tell attributes of overlayfs from others', () => {
    for (const name of [
      'trusted.overlay.opaque',
      'user.overlay.redirect',
      'trusted.overlay.overlay.x',
      'x.overlay.',
    ])
      assert.ok(isOverlayXattr(name), name);
    for (const name of [
      'trusted.overlayfs',
      'user.note',
      'security.capability',
      'overlay.x',
      'user.my.overlay.x',
    ])
      assert.ok(!isOverlayXattr(name), name);
  });
});
