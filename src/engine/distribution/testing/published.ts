import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Descriptor, digestOf, hostPlatform, MediaTypes, type Platform } from '../../../oci/index.ts';
import { layerOf } from '../../images/test-fixture.ts';
import { pullImage } from '../pull.ts';
import type { DistributionDeps, ProgressLine, PullInput } from '../types.ts';
import type { FakeRegistry } from './fake-registry.ts';
import { HOST } from './fixture.ts';

/** An image as somebody pushed it. */
export interface Published {
  manifest: Descriptor;
  config: Descriptor;
  layers: Descriptor[];
}

/** How an image is put together; each map of files is a layer. */
export interface PublishOptions {
  tag?: string;
  files?: Record<string, string | Buffer>[];
  platform?: Platform;
  pack?: 'gzip' | 'zstd' | 'plain';
  docker?: boolean;
  /** Replaces fields of the config. */
  config?: Record<string, unknown>;
  /** Replaces fields of the manifest. */
  more?: Record<string, unknown>;
}

const PACKS = {
  gzip: { pack: (tar: Buffer) => gzipSync(tar), mediaType: MediaTypes.ociLayerGzip },
  zstd: { pack: (tar: Buffer) => zstdCompressSync(tar), mediaType: MediaTypes.ociLayerZstd },
  plain: { pack: (tar: Buffer) => tar, mediaType: MediaTypes.ociLayer },
};

/** Puts an image into a registry; two layers, unless the options say otherwise. */
export function publish(registry: FakeRegistry, path: string, options: PublishOptions = {}): Published {
  const { files = [{ a: `a of ${path}` }, { b: `b of ${path}` }], pack = 'gzip', docker = false } = options;
  const tars = files.map((layer) => layerOf(layer));
  const layers = tars.map((tar) => {
    const mediaType = docker ? MediaTypes.dockerLayerGzip : PACKS[pack].mediaType;
    return registry.addBlob(path, PACKS[pack].pack(tar), mediaType);
  });
  const document = {
    ...(options.platform ?? hostPlatform()),
    created: '2024-01-02T03:04:05Z',
    config: { Labels: { l: 'v' }, Cmd: ['/x'] },
    rootfs: { type: 'layers', diff_ids: tars.map((tar) => digestOf(tar)) },
    ...options.config,
  };
  const config = registry.addBlob(
    path,
    Buffer.from(JSON.stringify(document)),
    docker ? MediaTypes.dockerConfig : MediaTypes.ociConfig,
  );
  const mediaType = docker ? MediaTypes.dockerManifest : MediaTypes.ociManifest;
  const body = { schemaVersion: 2, mediaType, config, layers, ...options.more };
  return { manifest: registry.addManifest(path, body, mediaType, options.tag), config, layers };
}

/** Puts an index of these entries into a registry. */
export function publishIndex(
  registry: FakeRegistry,
  path: string,
  manifests: object[],
  tag?: string,
  mediaType: string = MediaTypes.ociIndex,
): Descriptor {
  return registry.addManifest(path, { schemaVersion: 2, mediaType, manifests }, mediaType, tag);
}

/** Pulls `path` of the fixture's registry; the lines. */
export async function pull(
  deps: DistributionDeps,
  path: string,
  input: Partial<PullInput> = {},
  signal = new AbortController().signal,
): Promise<ProgressLine[]> {
  const defaults = { tag: '', credentials: {}, allTags: false, allPlatforms: false };
  const lines: ProgressLine[] = [];
  const all = { ...defaults, image: path.startsWith(HOST) ? path : `${HOST}/${path}`, ...input };
  for await (const line of pullImage(deps, all, signal)) lines.push(line);
  return lines;
}

/** Lines without counts: `status` with the id before it, or the error. */
export function told(lines: ProgressLine[]): string[] {
  return lines
    .filter(({ status }) => status !== 'Downloading' && status !== 'Extracting')
    .map(({ id, status, error }) => (error ? `error: ${error}` : `${id ? `${id}: ` : ''}${status}`));
}
