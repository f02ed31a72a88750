import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { execute } from './command.ts';

/** A blob of an image to be pushed. */
export interface Blob {
  digest: string;
  bytes: Buffer;
  mediaType: string;
}

/** An image as a registry has it. */
export interface OciImage {
  layers: Blob[];
  config: Blob;
  manifest: Blob;
  /** Bytes of the plain tars. */
  plainBytes: number;
}

function blob(bytes: Buffer, mediaType: string): Blob {
  return { bytes, mediaType, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

const PACK = {
  gzip: (bytes: Buffer) => gzipSync(bytes, { level: 6 }),
  zstd: (bytes: Buffer) => zstdCompressSync(bytes),
};

/** An OCI image of these tars. */
export function ociImage(tars: Buffer[], compression: 'gzip' | 'zstd'): OciImage {
  return ociImageOf(
    tars.map((tar) => ({ tar, packed: PACK[compression](tar) })),
    compression,
  );
}

/** Images whose layers are these tars with an entry before them: as many different ones as there are heads, packed once. */
export function* ociVariants(
  tars: Buffer[],
  compression: 'gzip' | 'zstd',
  heads: Buffer[],
): Generator<OciImage> {
  const packed = tars.map(PACK[compression]);
  for (const head of heads) {
    // Two gzip members, or two zstd frames, one after the other are one stream.
    const packedHead = PACK[compression](head);
    const layers = tars.map((tar, at) => ({
      tar: Buffer.concat([head, tar]),
      packed: Buffer.concat([packedHead, packed[at] as Buffer]),
    }));
    yield ociImageOf(layers, compression);
  }
}

function ociImageOf(contents: { tar: Buffer; packed: Buffer }[], compression: 'gzip' | 'zstd'): OciImage {
  const tars = contents.map(({ tar }) => tar);
  const mediaType = `application/vnd.oci.image.layer.v1.tar+${compression}`;
  const layers = contents.map(({ packed }) => blob(packed, mediaType));
  const diffIds = tars.map((tar) => `sha256:${createHash('sha256').update(tar).digest('hex')}`);
  const rootfs = { type: 'layers', diff_ids: diffIds };
  const document = {
    created: '2026-01-01T00:00:00Z',
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs,
  };
  const config = blob(Buffer.from(JSON.stringify(document)), 'application/vnd.oci.image.config.v1+json');
  const descriptor = ({ digest, bytes, mediaType }: Blob) => ({ mediaType, digest, size: bytes.length });
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptor(config),
    layers: layers.map(descriptor),
  };
  return {
    layers,
    config,
    manifest: blob(Buffer.from(JSON.stringify(manifest)), manifestType),
    plainBytes: tars.reduce((sum, tar) => sum + tar.length, 0),
  };
}

/** A tar with a static busybox that runs, and a file which makes it another layer than others. */
export async function busyboxTar(folder: string, mark: string): Promise<Buffer> {
  const tree = join(folder, `busybox-${mark}`);
  mkdirSync(join(tree, 'bin'), { recursive: true });
  copyFileSync('/bin/busybox', join(tree, 'bin/busybox'));
  for (const applet of ['sh', 'cat', 'echo']) symlinkSync('busybox', join(tree, 'bin', applet));
  writeFileSync(join(tree, 'mark'), mark);
  return tarOf(tree);
}

/** An image of layers that no compression makes smaller, so that offsets in their blobs mean something. */
export async function randomImage(folder: string, layers: number, layerBytes: number): Promise<OciImage> {
  const tars: Buffer[] = [];
  for (let at = 0; at < layers; at++) {
    const tree = join(folder, `tree-${at}`);
    mkdirSync(tree, { recursive: true });
    writeFileSync(join(tree, `file-${at}`), randomBytes(layerBytes));
    tars.push(await tarOf(tree));
  }
  return ociImage(tars, 'gzip');
}

/** A folder as a tar. */
export async function tarOf(tree: string): Promise<Buffer> {
  const { code, stderr } = await execute('tar', ['-C', tree, '-cf', `${tree}.tar`, '.']);
  assert.equal(code, 0, stderr);
  return readFileSync(`${tree}.tar`);
}
