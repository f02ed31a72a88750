import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { errnoCode, isKind } from '../base/index.ts';
import { fstatat } from './at.ts';
import { O } from './fd.ts';
import { mkdirAllInRoot, readFileInRoot } from './in-root.ts';
import { openInRoot } from './openat2.ts';

/** A tree as it should be on the disk, to be resolved by the rules alone. */
type Node =
  | { kind: 'dir'; entries: Map<string, Node>; parent: Node | undefined }
  | { kind: 'file'; text: string }
  | { kind: 'link'; target: string };
type Dir = Extract<Node, { kind: 'dir' }>;

function generator(seed: number) {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}
type Random = ReturnType<typeof generator>;

const NAMES = ['a', 'b', 'c', 'etc', 'x.y'];

/** A path of names, dots and slashes, often leading up. */
function randomPath(random: Random): string {
  const parts = Array.from({ length: 1 + random.below(5) }, () =>
    random.of([...NAMES, ...NAMES, '..', '..', '.', '', 'missing']),
  );
  return random.of(['', '/', '//', '../../..', './']) + parts.join('/') + random.of(['', '', '', '/']);
}

function randomTree(random: Random, path: string, parent: Dir | undefined, depth: number): Dir {
  const dir: Dir = { kind: 'dir', entries: new Map(), parent };
  for (const name of NAMES) {
    const at = join(path, name);
    const kind = random.below(depth > 0 ? 5 : 3);
    if (kind === 0) continue;
    if (kind === 1) {
      const target = randomPath(random) || '.';
      symlinkSync(target, at);
      dir.entries.set(name, { kind: 'link', target });
    } else if (kind === 2) {
      writeFileSync(at, at);
      dir.entries.set(name, { kind: 'file', text: at });
    } else {
      mkdirSync(at);
      dir.entries.set(name, randomTree(random, at, dir, depth - 1));
    }
  }
  return dir;
}

/** What path_resolution(7) says, with `root` as `/`: the node, or the errno. */
function resolve(root: Dir, path: string): Node | string {
  let here: Node = root;
  const left = path.split('/');
  let links = 0;
  while (left.length > 0) {
    const part = left.shift() as string;
    if (here.kind !== 'dir') return 'ENOTDIR';
    if (part === '' || part === '.') continue;
    if (part === '..') {
      here = here.parent ?? here;
      continue;
    }
    const next: Node | undefined = here.entries.get(part);
    if (!next) return 'ENOENT';
    if (next.kind !== 'link') {
      here = next;
      continue;
    }
    links += 1;
    if (links > 40) return 'ELOOP';
    if (next.target.startsWith('/')) here = root;
    left.unshift(...next.target.split('/'));
  }
  return here;
}

let base: string;
let path: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-model-'));
  path = join(base, 'root');
  mkdirSync(path);
  // What a path would find that climbs out of the root.
  for (const name of NAMES) writeFileSync(join(base, name), 'outside');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function anotherTree(random: Random): Dir {
  rmSync(path, { recursive: true });
  mkdirSync(path);
  return randomTree(random, path, undefined, 3);
}

describe('random trees full of links', () => {
  it('are resolved as the rules say, with the root as the end of every way up', () => {
    const seen = new Map<string, number>();
    const random = generator(17);
    let root = randomTree(random, path, undefined, 3);
    for (let round = 0; round < 4000; round++) {
      if (round % 200 === 199) root = anotherTree(random);
      const asked = randomPath(random);
      const expected = resolve(root, asked);
      let kind = typeof expected === 'string' ? expected : expected.kind;
      try {
        using found = openInRoot(path, asked, O.RDONLY);
        assert.ok(typeof expected !== 'string', `${asked} was found; ${expected}`);
        const real = readlinkSync(`/proc/self/fd/${found.fd}`);
        assert.ok(`${real}/`.startsWith(`${path}/`), `${asked} led to ${real}`);
        if (expected.kind === 'file') assert.equal(readFileSync(found.fd, 'utf8'), expected.text, asked);
        if (expected.kind === 'dir')
          assert.deepEqual(readdirSync(real).sort(), [...expected.entries.keys()].sort(), asked);
      } catch (thrown) {
        if (thrown instanceof assert.AssertionError) throw thrown;
        kind = errnoCode((thrown as Error).cause) ?? '';
        assert.equal(kind, expected, asked);
      }
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
    // Otherwise the rounds would have shown little.
    for (const kind of ['dir', 'file', 'ENOENT', 'ENOTDIR']) assert.ok((seen.get(kind) ?? 0) > 100, kind);
    assert.ok((seen.get('ELOOP') ?? 0) > 0, 'no loop of links was met');
  });

  it('are read by the same rules, and nothing is read that is no file', () => {
    const random = generator(23);
    let root = anotherTree(random);
    let read = 0;
    for (let round = 0; round < 2000; round++) {
      if (round % 200 === 199) root = anotherTree(random);
      const asked = randomPath(random);
      const expected = resolve(root, asked);
      if (expected === 'ENOENT' || expected === 'ENOTDIR') {
        assert.equal(readFileInRoot(path, asked, 1000), undefined, asked);
      } else if (typeof expected !== 'string' && expected.kind === 'file') {
        assert.equal(readFileInRoot(path, asked, 1000)?.toString(), expected.text);
        assert.throws(() => readFileInRoot(path, asked, 3), { kind: 'invalid' });
        read += 1;
      } else assert.throws(() => readFileInRoot(path, asked, 1000), { kind: 'invalid' }, asked);
    }
    assert.ok(read > 50, `${read} were read`);
  });

  it('grow inside the root alone, and what was made is found again', () => {
    const random = generator(29);
    let made = 0;
    for (let tree = 0; tree < 20; tree++) {
      const root = join(path, String(tree));
      mkdirSync(root);
      randomTree(random, root, undefined, 2);
      for (let round = 0; round < 25; round++) {
        const asked = randomPath(random);
        try {
          using directory = mkdirAllInRoot(root, asked, 0o751, { uid: 7, gid: 8 });
          const real = readlinkSync(`/proc/self/fd/${directory.fd}`);
          assert.ok(`${real}/`.startsWith(`${root}/`), `${asked} led to ${real}`);
          using again = openInRoot(root, asked, O.PATH | O.DIRECTORY);
          assert.equal(fstatat(again, '').ino, fstatat(directory, '').ino, asked);
          made += 1;
        } catch (thrown) {
          if (thrown instanceof assert.AssertionError) throw thrown;
          const code = errnoCode((thrown as Error).cause) ?? '';
          assert.ok(isKind(thrown, 'invalid') || ['ENOTDIR', 'ELOOP'].includes(code), `${asked}: ${thrown}`);
        }
      }
    }
    assert.ok(made > 100, `${made} were made`);
    assert.deepEqual(readdirSync(base).sort(), [...NAMES, 'root'].sort());
    for (const name of NAMES) assert.equal(readFileSync(join(base, name), 'utf8'), 'outside');
  });
});

describe('mkdirAllInRoot', () => {
  it('gives mode and owner to what it makes, whatever the umask, and to nothing else', () => {
    const before = process.umask(0o077);
    try {
      mkdirSync(join(path, 'there'), { mode: 0o700 });
      mkdirAllInRoot(path, 'there/one/two', 0o1775, { uid: 12, gid: 34 }).close();
    } finally {
      process.umask(before);
    }
    using there = openInRoot(path, 'there', O.PATH);
    assert.deepEqual([fstatat(there, '').uid, fstatat(there, '').mode & 0o7777], [0, 0o700]);
    for (const name of ['there/one', 'there/one/two']) {
      using made = openInRoot(path, name, O.PATH);
      const { uid, gid, mode } = fstatat(made, '');
      assert.deepEqual([uid, gid, mode & 0o7777], [12, 34, 0o1775], name);
    }
  });

  it('follows a chain of dangling links to its end, and gives up at a loop of them', () => {
    for (let at = 0; at < 20; at++) symlinkSync(`/l${at + 1}/d`, join(path, `l${at}`));
    mkdirAllInRoot(path, 'l0/end', 0o755).close();
    assert.ok(readdirSync(join(path, 'l20')).includes('d'));
    mkdirSync(join(path, 'sub'));
    symlinkSync('/made/here', join(path, 'sub/absolute'));
    mkdirAllInRoot(path, 'sub/absolute/end', 0o755).close();
    assert.deepEqual(readdirSync(join(path, 'made/here')), ['end']);
    assert.deepEqual(readdirSync(join(path, 'sub')), ['absolute']);
    symlinkSync('/round/x', join(path, 'round'));
    assert.throws(() => mkdirAllInRoot(path, 'round', 0o755));
    assert.equal(readlinkSync(join(path, 'round')), '/round/x');
  });
});
