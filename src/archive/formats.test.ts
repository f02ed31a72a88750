import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { crc32, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf } from '../oci/index.ts';
import { decompress, TarPacker, unpackLayer } from './index.ts';

let base: string;
let count = 0;

beforeEach(() => {
  base = mkdtempSync('/var/tmp/wharf-formats-');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const FILES = Array.from({ length: 9 }, (_, at) => ({
  name: `dir/file-${at}`,
  body: Buffer.alloc(at * 10_000, `text ${at} `),
}));
const TOC = { name: 'stargz.index.json', body: Buffer.from('{"version":1,"entries":[]}') };

function tar(files: { name: string; body: Buffer }[]): Buffer {
  const packer = new TarPacker();
  for (const file of files) packer.add(file);
  return packer.finish();
}

/** A tar cut where its entries begin, as formats do that let a reader find one entry by itself. */
function cut(bytes: Buffer, pieces: number): Buffer[] {
  const size = Math.ceil(bytes.length / 512 / pieces) * 512;
  return Array.from({ length: pieces }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

/** A gzip member with more in its header than a plain one has (RFC 1952, 2.3). */
function member(bytes: Buffer, extra: Buffer): Buffer {
  const head = Buffer.from('1f8b08040000000000ff', 'hex');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(extra.length);
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(crc32(bytes), 0);
  tail.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, length, extra, deflateRawSync(bytes), tail]);
}

/** A skippable frame (RFC 8878, 3.1.2). */
function skippable(content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50, 0);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

async function check(layer: Buffer, plain: Buffer, names: string[]): Promise<void> {
  count += 1;
  const [file, target] = [join(base, `layer-${count}`), join(base, `target-${count}`)];
  writeFileSync(file, layer);
  mkdirSync(target);
  const { diffId, bytes } = await unpackLayer({ source: file, target, expectedDiffId: digestOf(plain) });
  assert.deepEqual([diffId, bytes], [digestOf(plain), plain.length]);
  assert.deepEqual(readdirSync(target).sort(), names);
  for (const { name, body } of FILES) assert.ok(readFileSync(join(target, name)).equals(body), name);
  const streamed: Uint8Array[] = [];
  for await (const chunk of decompress(
    (async function* () {
      for (let at = 0; at < layer.length; at += 1000) yield layer.subarray(at, at + 1000);
    })(),
  ))
    streamed.push(chunk);
  assert.ok(Buffer.concat(streamed).equals(plain));
}

describe('layers that let a reader find single files are unpacked as plain ones', () => {
  it('eStargz: many members, an index as the last entry, and an empty member that points at it', async () => {
    const plain = tar([...FILES, TOC]);
    const offset = Buffer.from('0000000000001234STARGZ');
    const field = Buffer.concat([Buffer.from('SG'), Buffer.from([offset.length, 0]), offset]);
    const footer = member(Buffer.alloc(0), field);
    const members = cut(plain, 7).map((piece) => gzipSync(piece));
    await check(Buffer.concat([...members, footer]), plain, ['dir', 'stargz.index.json']);
  });

  it('zstd:chunked: many frames, then skippable ones with an index and its place', async () => {
    const plain = tar(FILES);
    const frames = cut(plain, 5).map((piece) => zstdCompressSync(piece));
    const index = skippable(zstdCompressSync('{"version":1,"entries":[]}'));
    const footer = skippable(Buffer.concat([Buffer.alloc(56, 7), Buffer.from('GNUlInUx')]));
    await check(Buffer.concat([...frames, index, footer]), plain, ['dir']);
  });

  it('zstd that begins with a skippable frame, or has empty frames among the others', async () => {
    const plain = tar(FILES);
    const frames = cut(plain, 3).flatMap((piece) => [zstdCompressSync(piece), zstdCompressSync('')]);
    await check(Buffer.concat([skippable(Buffer.from('first')), ...frames]), plain, ['dir']);
  });

  it('gzip as other tools write it: with a name, a comment and a checksum of its header', async () => {
    const plain = tar(FILES);
    const named = execFileSync('gzip', ['--name', '--best', '--stdout'], {
      input: plain,
      maxBuffer: 1 << 30,
    });
    await check(named, plain, ['dir']);
    // FHCRC, FNAME and FCOMMENT; the last two bytes are the CRC-16 of the header (RFC 1952, 2.3.1).
    const head = Buffer.concat([Buffer.from('1f8b081a0000000000ff', 'hex'), Buffer.from('name\0comment\0')]);
    const sum = Buffer.alloc(2);
    sum.writeUInt16LE(crc32(head) & 0xffff);
    const rest = gzipSync(plain).subarray(10);
    await check(Buffer.concat([head, sum, rest]), plain, ['dir']);
  });
});
