import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { readTar, TarPacker, unpackLayer } from '../../archive/index.ts';
import { type Clock, KeyedLock, silentLog, systemClock } from '../../base/index.ts';
import { Leases, openContentStore } from '../../content/index.ts';
import { openMemoryDatabase } from '../../meta/index.ts';
import { type Digest, digestOf, type ExecutionConfig, hostPlatform } from '../../oci/index.ts';
import { openOverlaySnapshotter } from '../../snapshot/index.ts';
import type { EngineEvent } from '../events/index.ts';
import { importImage } from './import.ts';
import { loadImages } from './load.ts';
import { MadeLayers } from './made-layers.ts';
import type { ProgressLine } from './progress.ts';
import { type ImageRecord, openImageStore } from './store.ts';

const START = 1_700_000_000_000_000_000n;

/** Real stores in a folder of their own, a clock that stands until it is turned, and every event. */
export function openFixture() {
  // Overlay's upper directory can't lie on overlay, as /tmp may.
  const root = mkdtempSync('/var/tmp/wharf-images-');
  const temporary = join(root, 'tmp');
  mkdirSync(temporary);
  const database = openMemoryDatabase();
  const images = openImageStore(database);
  const events: EngineEvent[] = [];
  const users = new Map<string, { id: string; running: boolean }[]>();
  const time = { nanos: START };
  const clock: Clock = { ...systemClock, nowNanos: () => time.nanos };
  return {
    root,
    temporary,
    database,
    images,
    content: openContentStore(join(root, 'content')),
    snapshots: openOverlaySnapshotter({ root: join(root, 'overlay'), database }),
    unpack: unpackLayer,
    locks: new KeyedLock(),
    leases: new Leases(),
    others: [] as ((digest: Digest) => boolean)[],
    log: silentLog,
    clock,
    time,
    events: { publish: (event: EngineEvent) => void events.push(event) },
    published: events,
    users,
    containersOf: (imageId: string) => users.get(imageId) ?? [],
    made: new MadeLayers(images),
    async [Symbol.asyncDispose]() {
      await this.snapshots.settled();
      database[Symbol.dispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

export type Fixture = ReturnType<typeof openFixture>;

/** Everything that is kept or lies around: to compare before and after. */
export async function inventory(fixture: Fixture): Promise<Record<string, string[]>> {
  const blobs: string[] = [];
  for await (const { digest } of fixture.content.list()) blobs.push(digest);
  return {
    blobs: blobs.sort(),
    snapshots: fixture.snapshots.list().map(({ key }) => key),
    images: fixture.images.all().map(({ id }) => id),
    names: fixture.images.names().map(({ name }) => name),
    temporary: readdirSync(fixture.temporary),
  };
}

export const EMPTY = { blobs: [], snapshots: [], images: [], names: [], temporary: [] };

/** A layer's tar of these files. */
export function layerOf(files: Record<string, string | Buffer>): Buffer {
  const packer = new TarPacker();
  for (const [name, body] of Object.entries(files)) packer.add({ name, body: Buffer.from(body) });
  return packer.finish();
}

/** An image config of these layers. */
export function configOf(layers: Buffer[], more: Record<string, unknown> = {}): Buffer {
  const { os, architecture } = hostPlatform();
  const rootfs = { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) };
  return Buffer.from(JSON.stringify({ os, architecture, created: '2024-01-02T03:04:05Z', rootfs, ...more }));
}

export interface ArchivedImage {
  config: Buffer;
  layers: Buffer[];
  tags?: string[] | null;
}

/** The members of a docker-archive, by name, for tests to spoil. */
export function dockerMembers(...images: ArchivedImage[]): Map<string, Buffer> {
  const members = new Map<string, Buffer>();
  const items = images.map(({ config, layers, tags }, number) => {
    members.set(`${number}.json`, config);
    for (const [at, layer] of layers.entries()) members.set(`${number}-${at}.tar`, layer);
    return {
      Config: `${number}.json`,
      RepoTags: tags ?? null,
      Layers: layers.map((_, at) => `${number}-${at}.tar`),
    };
  });
  return members.set('manifest.json', Buffer.from(JSON.stringify(items)));
}

export function packed(members: Map<string, Buffer>): Buffer {
  return layerOf(Object.fromEntries(members));
}

/** An OCI layout of one image; `platforms` puts it behind an index that names them. */
export function ociMembers(
  image: ArchivedImage & { layerTypes?: string[]; blobs?: Buffer[] },
  annotations: Record<string, string> = {},
): Map<string, Buffer> {
  const members = new Map<string, Buffer>();
  const blob = (bytes: Buffer, mediaType: string) => {
    const digest = digestOf(bytes);
    members.set(`blobs/${digest.replace(':', '/')}`, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const layers = (image.blobs ?? image.layers).map((bytes, at) =>
    blob(bytes, image.layerTypes?.[at] ?? 'application/vnd.oci.image.layer.v1.tar'),
  );
  const config = blob(image.config, 'application/vnd.oci.image.config.v1+json');
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers }));
  const index = { schemaVersion: 2, manifests: [{ ...blob(manifest, mediaType), annotations }] };
  members.set('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  return members.set('index.json', Buffer.from(JSON.stringify(index)));
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

/** Loads an archive and returns the lines. */
export function load(
  fixture: Fixture,
  archive: Buffer,
  options: Partial<Parameters<typeof loadImages>[2]> = {},
  signal = new AbortController().signal,
): Promise<ProgressLine[]> {
  const source = Readable.from([archive], { objectMode: false });
  return collect(loadImages(fixture, source, { quiet: true, ...options }, signal));
}

/** Imports a tar and returns the image. */
export async function imported(
  fixture: Fixture,
  tar: Buffer,
  options: Partial<Parameters<typeof importImage>[2]> = {},
): Promise<ImageRecord> {
  const source = Readable.from([tar], { objectMode: false });
  const defaults = { repo: '', tag: '', changes: [], message: '' };
  const signal = new AbortController().signal;
  const lines = await collect(importImage(fixture, source, { ...defaults, ...options }, signal));
  return fixture.images.get(String(lines.at(-1)?.['status'])) as ImageRecord;
}

/** An image of one small layer with that name; `seed` makes it differ. */
export async function someImage(
  fixture: Fixture,
  name: string,
  seed = name,
  more: { created?: string; config?: ExecutionConfig } = {},
): Promise<ImageRecord> {
  const layers = [layerOf({ file: seed })];
  const tags = name ? [name] : null;
  await load(
    fixture,
    packed(dockerMembers({ config: configOf(layers, { ...more, author: seed }), layers, tags })),
  );
  return fixture.images.get(digestOf(configOf(layers, { ...more, author: seed }))) as ImageRecord;
}

/** The members of a tar in order, with their bytes. */
export async function unpacked(stream: AsyncIterable<Uint8Array>): Promise<Map<string, Buffer>> {
  const members = new Map<string, Buffer>();
  for await (const entry of readTar(stream))
    members.set(entry.name, Buffer.concat(await collect(entry.body)));
  return members;
}
