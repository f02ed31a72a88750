import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';

/** A blob of an image to be pushed. */
export interface Blob {
  digest: string;
  bytes: Buffer;
  mediaType: string;
}

export interface SampleImage {
  layers: Blob[];
  config: Blob;
  manifest: Blob;
  /** Bytes of the plain tars. */
  plainBytes: number;
}

/**
 * What each layer is made of: folders that every machine with the project's packages has, as layers of real images are: many
 * small files, some large ones.
 */
const LAYERS: readonly string[][] = [
  ['usr/lib/x86_64-linux-gnu/perl', 'usr/share/perl', 'usr/lib/python3.11'],
  ['usr/share/zoneinfo', 'usr/share/locale', 'usr/share/i18n'],
  ['usr/bin'],
  ['usr/lib/x86_64-linux-gnu/gconv', 'usr/lib/gcc', 'usr/share/vim', 'usr/include'],
];

function blob(bytes: Buffer, mediaType: string): Blob {
  return { bytes, mediaType, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

/** Bytes of files in a layer, at most, so that the sample fits everywhere. */
const LAYER_BYTES = 80 << 20;

/** Paths of regular files and links below some folders of /, sorted, as many as fit. */
function filesBelow(folders: string[]): string[] {
  const args = [...folders, '-type', 'f', '-printf', '%s %p\\n', '-o', '-type', 'l', '-printf', '0 %p\\n'];
  // Folders that this machine lacks are left out with a warning; what is there makes the layer.
  const listed = spawnSync('find', args, { cwd: '/', encoding: 'utf8', maxBuffer: 1 << 28 }).stdout;
  const lines = listed.split('\n').filter(Boolean);
  let left = LAYER_BYTES;
  return lines
    .map((line) => ({
      size: Number(line.slice(0, line.indexOf(' '))),
      path: line.slice(line.indexOf(' ') + 1),
    }))
    .sort((one, other) => (one.path < other.path ? -1 : 1))
    .filter(({ size }) => {
      left -= size;
      return left >= 0;
    })
    .map(({ path }) => path);
}

/** The layers as plain tars. */
export function sampleTars(folder: string): Buffer[] {
  return LAYERS.map((paths, at) => {
    const file = join(folder, `layer-${at}.tar`);
    const input = filesBelow(paths).join('\n');
    spawnSync('tar', ['-C', '/', '--ignore-failed-read', '-cf', file, '-T', '-'], { input });
    const tar = readFileSync(file);
    rmSync(file);
    if (tar.length < 1 << 20) throw new Error(`layer ${at} of the sample has only ${tar.length} bytes`);
    return tar;
  });
}

/** An OCI image of these tars. */
export function sampleImage(tars: Buffer[], compression: 'gzip' | 'zstd'): SampleImage {
  const mediaType = `application/vnd.oci.image.layer.v1.tar+${compression}`;
  const layers = tars.map((tar) =>
    blob(compression === 'gzip' ? gzipSync(tar, { level: 6 }) : zstdCompressSync(tar), mediaType),
  );
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
