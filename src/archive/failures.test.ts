import assert from 'node:assert/strict';
import { once as event } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type ErrorKind, isKind } from '../base/index.ts';
import { digestOf } from '../oci/index.ts';
import { mount, O, openat2, umountIfMounted } from '../sys/index.ts';
import {
  applyLayer,
  decompress,
  packTree,
  readTar,
  type TarInput,
  TarPacker,
  unpackLayer,
  writeTar,
} from './index.ts';
import { BLOCK, decodeHeader, encodeHeader } from './tar-format.ts';
import { TreePacker } from './tree-packer.ts';

let base: string;
let target: string;

beforeEach(() => {
  base = mkdtempSync('/var/tmp/wharf-failures-');
  target = join(base, 'target');
  mkdirSync(target);
});
afterEach(() => {
  umountIfMounted(target, { detach: true });
  rmSync(base, { recursive: true, force: true });
});

const descriptors = () => readdirSync('/proc/self/fd').length;
const kind = (wanted: ErrorKind) => (thrown: unknown) => {
  assert.ok(isKind(thrown, wanted), String(thrown));
  return true;
};

async function* once(bytes: Uint8Array, size = 4096): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A file beside the target with that content. */
function stored(bytes: Uint8Array): string {
  const file = join(base, 'layer');
  writeFileSync(file, bytes);
  return file;
}

function tar(...entries: (TarInput & { body?: Uint8Array | undefined })[]): Buffer {
  const packer = new TarPacker();
  for (const entry of entries) packer.add(entry);
  return packer.finish();
}

/** A header block with some of its bytes replaced and its checksum made right again. */
function patched(change: (block: Buffer) => void): Buffer {
  const block = Buffer.from(tar({ name: 'x' }).subarray(0, BLOCK));
  change(block);
  block.write('        ', 148, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([block, Buffer.alloc(1024)]);
}

/** A number of more bits than octal digits hold, in GNU's form. */
function base256(block: Buffer, at: number, length: number, value: bigint): void {
  let rest = BigInt.asUintN(length * 8, value) | (1n << BigInt(length * 8 - 1));
  for (let byte = length - 1; byte >= 0; byte--) {
    block[at + byte] = Number(rest & 255n);
    rest >>= 8n;
  }
}

describe('a disk that is full', () => {
  it('says so, whether blocks or inodes are gone, and keeps no descriptor', async () => {
    const big = tar({ name: 'dir/' }, { name: 'dir/big', body: Buffer.alloc(200_000, 'x') });
    const many = tar(
      ...Array.from({ length: 30 }, (_, at) => ({ name: `d${at}/f`, body: Buffer.from('x') })),
    );
    for (const [options, bytes] of [
      ['size=64k', big],
      ['nr_inodes=12', many],
    ] as const) {
      mount({ source: 'tmpfs', target, type: 'tmpfs', data: options });
      const before = descriptors();
      await assert.rejects(applyLayer(once(bytes), target), kind('exhausted'));
      assert.equal(descriptors(), before);
      await assert.rejects(unpackLayer({ source: stored(bytes), target }), kind('exhausted'));
      umountIfMounted(target);
    }
  });

  it('does not stop another archive that has room', async () => {
    mount({ source: 'tmpfs', target, type: 'tmpfs', data: 'size=64k' });
    await assert.rejects(applyLayer(once(tar({ name: 'big', body: Buffer.alloc(100_000, 'x') })), target));
    rmSync(join(target, 'big'));
    await applyLayer(once(tar({ name: 'small', body: Buffer.from('s') })), target);
    assert.equal(readFileSync(join(target, 'small'), 'utf8'), 's');
  });
});

describe('owners, devices and attributes that no file can have', () => {
  const impossible: [what: string, bytes: Buffer][] = [
    ['a user beyond 32 bits', tar({ name: 'x', uid: 2 ** 32 })],
    ['a group far beyond', tar({ name: 'x', gid: Number.MAX_SAFE_INTEGER })],
    ['the user that means "as it is"', tar({ name: 'x', uid: 0xffffffff })],
    ['of a directory', tar({ name: 'x/', uid: 2 ** 32 })],
    ['of a symbolic link', tar({ name: 'x', type: 'symlink', linkName: 'y', gid: 2 ** 40 })],
    ['a negative user', patched((block) => base256(block, 108, 8, -2n))],
    ['a negative group', patched((block) => base256(block, 116, 8, -1n))],
    [
      'capabilities that are none',
      tar({ name: 'x', xattrs: new Map([['security.capability', Buffer.from('junk')]]) }),
    ],
    ['an attribute without a name', tar({ name: 'x', xattrs: new Map([['', Buffer.from('x')]]) })],
    ['an attribute with a NUL', tar({ name: 'x/', xattrs: new Map([['user.a\0b', Buffer.from('x')]]) })],
    [
      'an attribute name of 300 bytes',
      tar({ name: 'x', xattrs: new Map([[`user.${'n'.repeat(300)}`, Buffer.from('x')]]) }),
    ],
    ['an attribute of 100 kB', tar({ name: 'x', xattrs: new Map([['user.x', Buffer.alloc(100_000)]]) })],
  ];
  for (const [what, bytes] of impossible) {
    it(`${what}: refused, by the archive's fault`, async () => {
      const before = descriptors();
      await assert.rejects(applyLayer(once(bytes), target), kind('invalid'));
      assert.equal(descriptors(), before);
    });
  }

  it('numbers that no double holds are damage', async () => {
    for (const [at, length] of [
      [108, 8],
      [124, 12],
      [136, 12],
    ] as const) {
      const bytes = patched((block) => base256(block, at, length, 2n ** 60n));
      await assert.rejects(applyLayer(once(bytes), target), kind('corrupt'));
    }
    const negative = patched((block) => base256(block, 124, 12, -512n));
    await assert.rejects(applyLayer(once(negative), target), kind('corrupt'));
  });

  it('numbers in base 256 that fit are taken, a time before 1970 among them', () => {
    const block = patched((bytes) => {
      base256(bytes, 108, 8, 3_000_000_000n);
      base256(bytes, 136, 12, -5n);
    });
    const { uid, mtime } = decodeHeader(block.subarray(0, BLOCK));
    assert.deepEqual([uid, mtime], [3_000_000_000, -5]);
  });
});

describe('global records', () => {
  /** A global header with one record, as `git archive` writes one. */
  const global = (key: string, value: string): Buffer => {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length;
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
    const record = Buffer.from(`${length}${rest}`);
    const header = patched((block) => {
      block.write('g', 156, 'latin1');
      block.write(`${record.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
    }).subarray(0, BLOCK);
    return Buffer.concat([header, record, Buffer.alloc((BLOCK - (record.length % BLOCK)) % BLOCK)]);
  };
  const file = (name: string) => tar({ name }).subarray(0, BLOCK);

  it('are bounded together, not one by one: they live as long as the archive', async () => {
    const parts = Array.from({ length: 40 }, (_, at) => [
      global(`comment.${at}`, 'x'.repeat(60_000)),
      file(`f${at}`),
    ]);
    const bytes = Buffer.concat(parts.flat());
    await assert.rejects(applyLayer(once(bytes), target), kind('invalid'));
    const many = Array.from({ length: 1001 }, (_, at) => [global(`k${at}`, 'v'), file('f')]);
    await assert.rejects(applyLayer(once(Buffer.concat(many.flat())), target), kind('invalid'));
  });

  it('hold for what follows until another one comes, and give way to an entry’s own', async () => {
    const own = tar({ name: 'own', uid: 3_000_000 }).subarray(0, -1024);
    const bytes = Buffer.concat([
      global('uid', '7'),
      file('a'),
      own,
      global('uid', '8'),
      file('b'),
      global('uid', ''),
      file('c'),
    ]);
    const owners: [string, number][] = [];
    for await (const { name, uid } of readTar(once(bytes))) owners.push([name, uid]);
    assert.deepEqual(owners, [
      ['a', 7],
      ['own', 3_000_000],
      ['b', 8],
      ['c', 0],
    ]);
    const same = Array.from({ length: 2000 }, (_, at) => [global('comment', `${at}`), file('f')]);
    await applyLayer(once(Buffer.concat(same.flat())), target);
  });
});

describe('stopped in the middle', () => {
  const files = tar(
    ...Array.from({ length: 70 }, (_, at) => ({ name: `d${at}/f${at}`, body: Buffer.alloc(2000, at) })),
  );

  it('by its signal: the source is closed, and no descriptor stays', async () => {
    const before = descriptors();
    const cancel = new AbortController();
    let closed = false;
    async function* stopping() {
      try {
        for await (const chunk of once(files)) {
          yield chunk;
          if (existsSync(join(target, 'd30'))) cancel.abort();
        }
      } finally {
        closed = true;
      }
    }
    await assert.rejects(applyLayer(stopping(), target, { signal: cancel.signal }), kind('cancelled'));
    await turn();
    assert.ok(closed && existsSync(join(target, 'd30')) && !existsSync(join(target, 'd69')));
    assert.equal(descriptors(), before);
    await assert.rejects(applyLayer(once(files), target, { signal: cancel.signal }), kind('cancelled'));
    await assert.rejects(unpackLayer({ source: stored(files), target }, cancel.signal), kind('cancelled'));
  });

  it('by its source: the error comes through as it is', async () => {
    async function* breaking() {
      yield files.subarray(0, 5000);
      throw new Error('the line broke');
    }
    const before = descriptors();
    await assert.rejects(applyLayer(breaking(), target), /the line broke/);
    for await (const entry of readTar(once(files))) if (entry.name === 'd3/f3') break;
    await assert.rejects(async () => {
      for await (const _chunk of decompress(breaking()));
    }, /the line broke/);
    assert.equal(descriptors(), before);
  });

  it('by its reader: packing closes every directory it was in', async () => {
    mkdirSync(join(target, 'a/b/c/d'), { recursive: true });
    writeFileSync(join(target, 'a/b/c/d/file'), Buffer.alloc(1 << 20));
    // The thread stays for a while, with descriptors of its own.
    for await (const _chunk of packTree(target, { mode: 'tree' }));
    const before = descriptors();
    for (let stop = 1; stop < 8; stop++) {
      let seen = 0;
      for await (const _chunk of packTree(target, { mode: 'tree' })) if (++seen === stop) break;
      assert.equal(descriptors(), before, `after ${stop} pieces`);
    }
  });
});

describe('a tree that changes while it is packed', () => {
  /** The tar, made in small pieces; `change` is called behind each with what there is so far. */
  function packed(change: (sofar: number) => void): AsyncIterable<Uint8Array> {
    using packer = new TreePacker({ mode: 'tree' });
    using root = openat2(target, '.', { flags: O.RDONLY | O.DIRECTORY });
    packer.addContents(root, '', '/');
    const pieces: Buffer[] = [];
    for (let bytes = 0; ; ) {
      const piece = Buffer.alloc(100_000);
      const length = packer.fill(piece);
      bytes += length;
      pieces.push(piece.subarray(0, length));
      if (length < piece.length) break;
      change(bytes);
    }
    return Readable.from(pieces);
  }

  it('gives exactly the announced bytes of a file that grows or shrinks', async () => {
    const [grows, shrinks, last] = ['1-grows', '2-shrinks', '3-last'].map((name) => join(target, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [grows, shrinks]) writeFileSync(path, Buffer.alloc(600_000, 'a'));
    writeFileSync(last, 'whole');
    const sizes = new Map<string, number>();
    const tar = packed((sofar) => {
      if (sofar === 200_000) writeFileSync(grows, Buffer.alloc(900_000, 'b'));
      if (sofar === 800_000) truncateSync(shrinks, 10);
    });
    for await (const entry of readTar(tar)) {
      let [size, zeros] = [0, 0];
      for await (const chunk of entry.body) {
        size += chunk.length;
        zeros += chunk.filter((byte) => byte === 0).length;
      }
      sizes.set(entry.name, size);
      if (entry.name === '2-shrinks') assert.ok(zeros > 0, 'what is missing is filled with zeros');
    }
    assert.deepEqual(Object.fromEntries(sizes), { '1-grows': 600_000, '2-shrinks': 600_000, '3-last': 5 });
  });

  it('leaves out what went away, and what is a socket', async () => {
    for (const name of ['a', 'b', 'c']) writeFileSync(join(target, name), name);
    writeFileSync(join(target, 'a'), Buffer.alloc(150_000));
    const socket = createServer().listen(join(target, 'socket'));
    await event(socket, 'listening');
    const names: string[] = [];
    const tar = packed(() => rmSync(join(target, 'b'), { force: true }));
    for await (const entry of readTar(tar)) names.push(entry.name);
    socket.close();
    assert.deepEqual(names, ['a', 'c']);
  });
});

describe('the worker', () => {
  it('reads a file by itself, answers what is missing, and refuses another diffID', async () => {
    const bytes = tar({ name: 'x', body: Buffer.from('content') });
    const file = join(base, 'layer');
    writeFileSync(file, gzipSync(bytes));
    const result = await unpackLayer({ source: file, target, expectedDiffId: digestOf(bytes) });
    assert.deepEqual(result, { diffId: digestOf(bytes), bytes: bytes.length, fileBytes: 7 });
    const other = digestOf('other');
    const mismatch = unpackLayer({ source: file, target, expectedDiffId: other });
    await assert.rejects(mismatch, (thrown) => kind('corrupt')(thrown) && String(thrown).includes(other));
    await assert.rejects(unpackLayer({ source: join(base, 'none'), target }), /ENOENT/);
    await assert.rejects(unpackLayer({ source: file, target: join(base, 'none') }), kind('not-found'));
  });

  it('keeps its limits and its form', async () => {
    const bytes = tar({ name: '.wh.x' }, { name: 'y', body: Buffer.alloc(5000) });
    await assert.rejects(
      unpackLayer({ source: stored(bytes), target, limits: { maxEntries: 1 } }),
      kind('invalid'),
    );
    rmSync(target, { recursive: true });
    mkdirSync(target);
    await unpackLayer({ source: stored(bytes), target, form: 'plain' });
    assert.ok(lstatSync(join(target, '.wh.x')).isFile());
  });
});

describe('writing', () => {
  it('refuses a body that is shorter or longer than announced, and no body at all', async () => {
    const write = async (entry: TarInput) => {
      for await (const _chunk of writeTar([entry]));
    };
    for (const size of [0, 1, 3]) {
      const wrong = write({ name: 'x', size, body: Buffer.from('ab') });
      if (size === 0) await wrong;
      else await assert.rejects(wrong, kind('internal'));
    }
    await assert.rejects(write({ name: 'x', size: 5 }), kind('internal'));
  });

  it('gives every header its blocks, whatever the lengths in it', () => {
    const header = (name: string) =>
      encodeHeader({
        name,
        type: 'file',
        linkName: '',
        mode: 0,
        uid: 0,
        gid: 0,
        size: 0,
        mtimeNs: 0n,
        devMajor: 0,
        devMinor: 0,
        xattrs: new Map(),
      });
    // 100 bytes fit the field; a record that counts its own length changes it at 10, 100 and 1000.
    for (let length = 1; length <= 1100; length++) {
      const blocks = header('n'.repeat(length));
      assert.equal(blocks.length % BLOCK, 0);
      assert.equal(blocks.length > BLOCK, length > 100);
    }
  });

  it('makes directories that are missing, open to all, without changing those that are there', async () => {
    const before = process.umask(0o077);
    try {
      await applyLayer(
        once(tar({ name: 'kept/', mode: 0o700, uid: 5 }, { name: 'kept/new/deep/file' })),
        target,
      );
    } finally {
      process.umask(before);
    }
    assert.deepEqual(
      [statSync(join(target, 'kept')).mode & 0o777, statSync(join(target, 'kept')).uid],
      [0o700, 5],
    );
    assert.equal(statSync(join(target, 'kept/new/deep')).mode & 0o777, 0o755);
  });
});
