import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type ErrorKind, isKind } from '../base/index.ts';
import { mount, umountIfMounted } from '../sys/index.ts';
import { type ArchiveLimits, TarPacker, unpackLayer } from './index.ts';
import { encodeHeader } from './tar-format.ts';

const MIB = 1 << 20;

let base: string;
let target: string;

beforeEach(() => {
  base = mkdtempSync('/var/tmp/wharf-bombs-');
  target = join(base, 'target');
  mkdirSync(target);
  // Room for what may come before a bomb is known, and no more.
  mount({ source: 'tmpfs', target, type: 'tmpfs', data: 'size=700m' });
});
afterEach(() => {
  umountIfMounted(target, { detach: true });
  rmSync(base, { recursive: true, force: true });
});

function stored(bytes: Uint8Array): string {
  const file = join(base, 'layer');
  writeFileSync(file, bytes);
  return file;
}

/** The head of a tar with one file of `size` bytes. */
function head(size: number): Buffer {
  return encodeHeader({
    name: 'file',
    type: 'file',
    linkName: '',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size,
    mtimeNs: 0n,
    devMajor: 0,
    devMinor: 0,
    xattrs: new Map(),
  });
}

/** A tar of one file of `mib` times the same MiB, compressed piece by piece. */
function repeated(mib: number, compress: (bytes: Buffer) => Buffer, piece = Buffer.alloc(MIB)): Buffer {
  const packed = compress(piece);
  return Buffer.concat([
    compress(head(mib * MIB)),
    ...Array.from({ length: mib }, () => packed),
    compress(Buffer.alloc(1024)),
  ]);
}

/** Bytes by which the process grew at most during the work. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  const status = (key: string) =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) *
    1024;
  // Sets the highest mark back to what is in use now (proc(5), clear_refs).
  writeFileSync('/proc/self/clear_refs', '5');
  const before = status('VmRSS');
  await work();
  return status('VmHWM') - before;
}

async function warmUp(): Promise<void> {
  await unpackLayer({ source: stored(new TarPacker().finish()), target });
}

function emptied(): void {
  for (const name of readdirSync(target)) rmSync(join(target, name), { recursive: true });
}

const used = () => {
  const { blocks, bfree } = statfsSync(target);
  return blocks - bfree;
};
const kind = (wanted: ErrorKind) => (thrown: unknown) => {
  assert.ok(isKind(thrown, wanted), String(thrown));
  return true;
};

describe('a bomb is refused before it costs memory or much of the disk', () => {
  const small: Partial<ArchiveLimits> = { ratioFreeBytes: 100 * MIB };
  const headers = (count: number) => {
    const block = head(0);
    return zstdCompressSync(
      Buffer.concat([...Array.from({ length: count }, () => block), Buffer.alloc(1024)]),
    );
  };
  const deep = Buffer.concat([head(200 * MIB), Buffer.alloc(200 * MIB), Buffer.alloc(1024)]);
  const bombs: [string, () => Buffer, Partial<ArchiveLimits>, ErrorKind][] = [
    ['of zeros in gzip', () => repeated(600, (bytes) => gzipSync(bytes)), small, 'invalid'],
    ['of zeros in zstd', () => repeated(600, (bytes) => zstdCompressSync(bytes)), small, 'invalid'],
    ['of zeros in one gzip member', () => gzipSync(deep, { level: 9 }), small, 'invalid'],
    ['of zeros in one zstd frame', () => zstdCompressSync(deep), small, 'invalid'],
    [
      'that is larger than anything may be',
      () => repeated(300, (b) => zstdCompressSync(b)),
      { maxBytes: 200 * MIB },
      'invalid',
    ],
    ['of entries', () => headers(30_000), { maxEntries: 20_000 }, 'invalid'],
    ['in a bomb', () => gzipSync(gzipSync(Buffer.alloc(MIB))), {}, 'corrupt'],
    [
      'that fills the disk',
      () => repeated(900, (bytes) => zstdCompressSync(bytes), Buffer.alloc(MIB, 'x')),
      {},
      'exhausted',
    ],
    [
      'that says how long it is',
      () => Buffer.concat([head(2 ** 33 - 512), Buffer.alloc(512)]),
      {},
      'corrupt',
    ],
  ];

  for (const [what, bomb, limits, wanted] of bombs) {
    it(what, async () => {
      await warmUp();
      const source = stored(bomb());
      const before = used();
      const grown = await growth(() => assert.rejects(unpackLayer({ source, target, limits }), kind(wanted)));
      assert.ok(grown < 64 * MIB, `${Math.round(grown / MIB)} MiB`);
      emptied();
      assert.ok(used() <= before);
    });
  }
});

describe('a large layer', () => {
  it('takes no more memory than a small one', async () => {
    await warmUp();
    const piece = Buffer.alloc(MIB);
    for (let at = 0; at < piece.length; at += 4) piece.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);
    const source = stored(repeated(500, (bytes) => zstdCompressSync(bytes), piece));
    const grown = await growth(() => unpackLayer({ source, target }));
    assert.ok(grown < 32 * MIB, `${Math.round(grown / MIB)} MiB`);
  });
});
