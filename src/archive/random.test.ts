import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isKind } from '../base/index.ts';
import { llistxattr, lsetxattr, mkfifo } from '../sys/index.ts';
import {
  applyLayer,
  decompress,
  packTree,
  readTar,
  type TarHeader,
  type TarInput,
  TarPacker,
  writeTar,
} from './index.ts';

/** Choices, the same in every run. */
function generator(seed: number) {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}
type Random = ReturnType<typeof generator>;

function scratch() {
  const dir = mkdtempSync('/var/tmp/wharf-random-');
  const at = (name: string) => {
    mkdirSync(join(dir, name));
    return join(dir, name);
  };
  return { at, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

/** The bytes in pieces of changing length, some of them empty. */
async function* shredded(bytes: Uint8Array, random: Random): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const length = random.of([0, 1, 7, 511, 512, 513, 4096, 100_000]);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

async function whole(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const COMPONENTS = [
  'a',
  'file.txt',
  'ümläut',
  '😀',
  'with blank',
  'new\nline',
  'x'.repeat(99),
  'y'.repeat(255),
  '-rf',
  '.hidden',
  '=',
  '%',
];
const MTIMES = [
  0n,
  1n,
  -1n,
  1_700_000_000_123_456_789n,
  -86_400_000_000_001n,
  8_589_934_592_000_000_000n,
  5_000_000_000n,
];
const OWNERS = [0, 1, 1000, 65534, 2_097_151, 2_097_152, 4_294_967_294];
const VALUES = [
  Buffer.alloc(0),
  Buffer.from([0, 255, 10, 61]),
  Buffer.from('12 path=x\n'),
  Buffer.alloc(3000, 'v'),
];

function randomEntry(random: Random): TarInput & { body?: Buffer } {
  const name = Array.from({ length: 1 + random.below(5) }, () => random.of(COMPONENTS)).join('/');
  const type = random.of(['file', 'file', 'directory', 'symlink', 'link', 'char', 'block', 'fifo'] as const);
  const body = Buffer.alloc(random.of([0, 1, 511, 512, 513, 10_000]), name);
  const device = type === 'char' || type === 'block';
  const xattrs = new Map<string, Buffer>();
  for (let left = random.below(3); left > 0; left--)
    xattrs.set(random.of(['user.a', 'user.ü', 'trusted.x']), random.of(VALUES));
  return {
    name,
    type,
    linkName: type === 'symlink' || type === 'link' ? random.of(['x', `../${name}`, '/'.repeat(120)]) : '',
    mode: random.below(0o10000),
    uid: random.of(OWNERS),
    gid: random.of(OWNERS),
    mtimeNs: random.of(MTIMES),
    devMajor: device ? random.below(4096) : 0,
    devMinor: device ? random.below(1 << 20) : 0,
    xattrs,
    ...(type === 'file' && { body }),
  };
}

/** The fields of a header by which two are compared. */
function shown(header: TarInput & { body?: unknown }): unknown {
  const {
    name,
    body: _body,
    size: _size,
    xattrs = new Map<string, Buffer>(),
    ...rest
  } = header as TarHeader & { body?: unknown };
  const sorted = [...xattrs].map(([key, value]) => [key, Buffer.from(value).toString('hex')]).sort();
  return { ...rest, name: name.replace(/\/$/, ''), xattrs: sorted };
}

describe('random entries', () => {
  it('written and read again are the same, in pieces of any size', async () => {
    const random = generator(1);
    for (let round = 0; round < 60; round++) {
      const entries = Array.from({ length: 1 + random.below(20) }, () => randomEntry(random));
      const bytes = await whole(writeTar(entries));
      assert.equal(bytes.length % 512, 0);
      let at = 0;
      for await (const entry of readTar(shredded(bytes, random))) {
        const given = entries[at++] as (typeof entries)[0];
        assert.deepEqual(shown(entry), shown(given));
        const content = random.below(3) === 0 ? undefined : await whole(entry.body);
        if (content) assert.deepEqual(content, given.body ?? Buffer.alloc(0));
      }
      assert.equal(at, entries.length);
    }
  });

  it('packed in memory and streamed are the same bytes', async () => {
    const random = generator(2);
    for (let round = 0; round < 50; round++) {
      const entries = Array.from({ length: 10 }, () => randomEntry(random));
      const packer = new TarPacker();
      for (const entry of entries) packer.add(entry);
      assert.deepEqual(packer.finish(), await whole(writeTar(entries)));
    }
  });

  it('lose an attribute whose name no PAX keyword can hold, and it becomes no other one', async () => {
    const xattrs = new Map([
      ['user.a=b', Buffer.from('1')],
      ['user.a', Buffer.from('2')],
    ]);
    for await (const entry of readTar(writeTar([{ name: 'x', xattrs }])))
      assert.deepEqual([...entry.xattrs], [['user.a', Buffer.from('2')]]);
  });

  it('cut anywhere, give what came whole and then say that the rest is missing', async () => {
    const entries = [
      { name: 'one', body: Buffer.alloc(700, 1) },
      { name: `${'long/'.repeat(30)}two`, body: Buffer.alloc(10, 2), mtimeNs: 5n },
      { name: 'three', xattrs: new Map([['user.x', Buffer.from('v')]]) },
    ];
    const bytes = await whole(writeTar(entries));
    const end = bytes.length - 1024;
    let corrupt = 0;
    for (let length = 0; length < end; length += 37) {
      const names: string[] = [];
      const read = async () => {
        for await (const entry of readTar(shredded(bytes.subarray(0, length), generator(length))))
          names.push(entry.name);
      };
      await read().catch((thrown: unknown) => {
        assert.ok(isKind(thrown, 'corrupt'), String(thrown));
        corrupt += 1;
      });
      assert.deepEqual(
        names,
        entries.slice(0, names.length).map(({ name }) => name),
      );
    }
    assert.ok(corrupt > end / 37 / 2, `${corrupt} were refused`);
  });
});

/** Random files below `root`; names in `pool`, so that hard links have something to name. */
function fill(root: string, random: Random, depth: number): void {
  const files: string[] = [];
  for (let left = 4 + random.below(6); left > 0; left--) {
    const path = join(root, `${left}-${random.of(COMPONENTS).slice(0, 200)}`);
    const kind = random.below(depth > 0 ? 6 : 5);
    if (kind === 0 && files.length > 0) linkSync(random.of(files), path);
    else if (kind === 1) symlinkSync(random.of(['/etc/passwd', '..', 'no where', 'é'.repeat(300)]), path);
    else if (kind === 2) mkfifo(path, 0o640);
    else if (kind === 5) {
      mkdirSync(path);
      fill(path, random, depth - 1);
    } else {
      writeFileSync(path, Buffer.alloc(random.of([0, 1, 512, 5000]), path));
      if (random.below(2)) lsetxattr(path, 'user.note', random.of(VALUES));
      files.push(path);
    }
    if (kind !== 1) {
      chownSync(path, random.of([0, 1000, 3_000_000]), random.below(100));
      chmodSync(path, random.of([0o600, 0o755, 0o4711, 0o2755, 0o1777, 0]));
    }
  }
}

/** All that matters of a tree, by path. */
function described(root: string, path = '.'): unknown[] {
  const full = join(root, path);
  const stat = lstatSync(full, { bigint: true });
  const own = [
    path,
    stat.mode,
    stat.uid,
    stat.gid,
    stat.isDirectory() ? 0n : stat.nlink,
    path === '.' ? 0n : stat.mtimeNs,
  ];
  const content = stat.isFile()
    ? readFileSync(full).toString('base64')
    : stat.isSymbolicLink()
      ? readlinkSync(full)
      : '';
  const xattrs = stat.isSymbolicLink() ? [] : llistxattr(full).filter((name) => name.startsWith('user.'));
  const inside = stat.isDirectory()
    ? readdirSync(full)
        .sort()
        .flatMap((name) => described(root, join(path, name)))
    : [];
  return [[...own, content, xattrs], ...inside];
}

describe('random trees', () => {
  it('packed and unpacked are the same trees, whichever way they are compressed', async () => {
    const random = generator(3);
    for (let round = 0; round < 7; round++) {
      using home = scratch();
      const [from, to] = [home.at('from'), home.at('to')];
      fill(from, random, 3);
      const tar = await whole(packTree(from, { mode: 'tree' }));
      const packed = random.of([(bytes: Buffer) => bytes, gzipSync, zstdCompressSync])(tar);
      await applyLayer(decompress(shredded(packed, random)), to);
      assert.deepEqual(described(to), described(from));
      assert.deepEqual(await whole(packTree(to, { mode: 'tree' })), tar);
    }
  });

  it('unpacked over themselves change nothing', async () => {
    const random = generator(4);
    for (let round = 0; round < 5; round++) {
      using home = scratch();
      const [from, to] = [home.at('from'), home.at('to')];
      fill(from, random, 2);
      const tar = await whole(packTree(from, { mode: 'tree' }));
      await applyLayer(shredded(tar, random), to);
      const before = described(to);
      await applyLayer(shredded(tar, random), to);
      assert.deepEqual(described(to), before);
    }
  });
});

describe('compressed streams', () => {
  it('of random bytes come back from any pieces, of several members or frames', async () => {
    const random = generator(5);
    for (let round = 0; round < 40; round++) {
      const parts = Array.from({ length: 1 + random.below(4) }, () =>
        randomBytes(random.of([0, 1, 1000, 300_000])),
      );
      const compress = random.of([gzipSync, zstdCompressSync]);
      const packed = Buffer.concat(parts.map((part) => compress(part)));
      assert.deepEqual(await whole(decompress(shredded(packed, random))), Buffer.concat(parts));
    }
  });

  it('cut at any byte, are damaged and never whole', async () => {
    const plain = randomBytes(300);
    for (const packed of [gzipSync(plain), zstdCompressSync(plain)]) {
      for (let length = 6; length < packed.length; length++) {
        const reading = whole(decompress(shredded(packed.subarray(0, length), generator(length))));
        await assert.rejects(reading, (thrown) => isKind(thrown, 'corrupt'), `${length} of ${packed.length}`);
      }
    }
  });

  it('shorter than a mark are what they are', async () => {
    for (const bytes of [[], [0x1f], [0x28, 0xb5, 0x2f], [0x42, 0x5a], [0xfd, 0x37, 0x7a]].map((list) =>
      Buffer.from(list),
    ))
      assert.deepEqual(await whole(decompress(shredded(bytes, generator(1)))), bytes);
  });
});
