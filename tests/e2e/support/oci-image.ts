import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';

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

/** An OCI image of these tars. */
export function ociImage(tars: Buffer[], compression: 'gzip' | 'zstd'): OciImage {
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
