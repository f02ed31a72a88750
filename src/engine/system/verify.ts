import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isKind } from '../../base/index.ts';
import type { ContentStore } from '../../content/index.ts';
import type { Database } from '../../meta/index.ts';
import type { NetworkStack } from '../../network/index.ts';
import { type Digest, splitDigest } from '../../oci/index.ts';
import type { TaskService } from '../../runtime/index.ts';
import type { Snapshotter } from '../../snapshot/index.ts';
import type { VolumeStore } from '../../volume/index.ts';
import { type ContainerRecord, containerOfSnapshot, HALF_MADE_INIT } from '../containers/index.ts';
import { EXTRACT_PREFIX, type ImageName, type ImageRecord, type KeptIndex } from '../images/index.ts';
import { checkResidue, type ResidueDeps } from './residue.ts';

export interface VerifyDeps {
  database: Pick<Database, 'check'>;
  content: Pick<ContentStore, 'list' | 'open'>;
  snapshots: Pick<Snapshotter, 'list' | 'stat' | 'directory'>;
  networks: Pick<NetworkStack, 'verify'>;
  volumes: Pick<VolumeStore, 'list' | 'mountpoint' | 'underway'>;
  tasks: Pick<TaskService, 'leftovers'>;
  containers: () => ContainerRecord[];
  images: () => ImageRecord[];
  imageNames: () => ImageName[];
  imageIndexes: () => KeptIndex[];
  /** Mount points of this process's mount namespace. */
  mountPoints: () => string[];
  /** Whether a process runs. */
  alive: (pid: number) => boolean;
  /** Whether a cgroup of that container is left on the host. */
  hasCgroup: (record: ContainerRecord) => boolean;
  paths: { mounts: string; volumes: string; subpaths: string };
  looseLoops: ResidueDeps['looseLoops'];
}

/** One difference between what must be and what is. */
export interface Finding {
  check: string;
  problem: string;
}

/** Compares kernel objects, files and database: the promises I1, I2, I4, I6 and I7 as far as one look can tell. */
export async function verifyEngine(deps: VerifyDeps): Promise<{ ok: boolean; findings: Finding[] }> {
  const checks: Record<string, () => string[] | Promise<string[]>> = {
    database: () => deps.database.check(),
    content: () => checkContent(deps),
    names: () => checkNames(deps),
    layers: () => checkLayers(deps),
    containers: () => checkContainers(deps),
    mounts: () => checkMounts(deps),
    tasks: () => checkTasks(deps),
    network: () => deps.networks.verify(),
    volumes: () => checkVolumes(deps),
    residue: () => checkResidue(deps, liveIds(deps)),
  };
  const findings: Finding[] = [];
  for (const [check, run] of Object.entries(checks)) {
    for (const problem of await run()) findings.push({ check, problem });
  }
  return { ok: findings.length === 0, findings };
}

/**
 * Every blob hashes to its name, and all that images and kept indexes name are here. A cut ingest is no blob yet. Images may
 * come and go meanwhile: what was recorded before the first look and still is after the last must be here all the time.
 */
async function checkContent(deps: VerifyDeps): Promise<string[]> {
  const problems: string[] = [];
  const before = wantedBlobs(deps);
  const present = new Set<string>();
  for await (const { digest } of deps.content.list()) {
    present.add(digest);
    if (!(await isSound(deps, digest))) problems.push(`blob ${digest} has other content than its name says`);
  }
  for (const [holder, digests] of wantedBlobs(deps)) {
    for (const digest of digests) {
      if (before.get(holder)?.has(digest) && !present.has(digest))
        problems.push(`blob ${digest} of ${holder} is missing`);
    }
  }
  return problems;
}

/** The blobs that each image and each kept index names. */
function wantedBlobs(deps: VerifyDeps): Map<string, Set<string>> {
  const wanted = new Map<string, Set<string>>();
  for (const { id, manifest, config, layers } of deps.images()) {
    const blobs = [manifest, config, ...layers.map((layer) => layer.blob)];
    wanted.set(`image ${id}`, new Set(blobs.map(({ digest }) => digest)));
  }
  for (const { digest, blobs } of deps.imageIndexes())
    wanted.set(`index ${digest}`, new Set([digest, ...blobs.map((blob) => blob.digest)]));
  return wanted;
}

/** One that was removed since it was listed is sound. */
async function isSound({ content }: VerifyDeps, digest: Digest): Promise<boolean> {
  const { algorithm, hex } = splitDigest(digest);
  const hash = createHash(algorithm);
  try {
    for await (const chunk of content.open(digest)) hash.update(chunk as Buffer);
  } catch (thrown) {
    if (isKind(thrown, 'not-found')) return true;
    throw thrown;
  }
  return hash.digest('hex') === hex;
}

/** A name stands for an image that is here, and its target, when it has one, is kept; nothing is kept for no name. */
function checkNames(deps: VerifyDeps): string[] {
  const problems: string[] = [];
  const images = new Map(deps.images().map((image) => [image.id, image]));
  const kept = new Set(deps.imageIndexes().map((index) => index.digest));
  const wanted = new Set<string>();
  for (const { name, imageId, target } of deps.imageNames()) {
    const image = images.get(imageId);
    if (!image) problems.push(`name ${name} stands for image ${imageId}, which is missing`);
    if (!target) continue;
    wanted.add(target.digest);
    if (target.digest !== image?.manifest.digest && !kept.has(target.digest)) {
      problems.push(`name ${name} came as ${target.digest}, which is not kept`);
    }
  }
  for (const digest of kept) {
    if (!wanted.has(digest)) problems.push(`index ${digest} is kept, but no name came as it`);
  }
  return problems;
}

/** Snapshots are exactly those of images, containers and their init layers, and each has its directory. */
function checkLayers(deps: VerifyDeps): string[] {
  const problems: string[] = [];
  const records = new Map(deps.containers().map((record) => [record.id, record]));
  for (const snapshot of deps.snapshots.list()) {
    if (!existsSync(deps.snapshots.directory(snapshot.key))) {
      problems.push(`the directory of snapshot ${snapshot.key} is missing`);
    }
    const passing = [EXTRACT_PREFIX, HALF_MADE_INIT].some((prefix) => snapshot.key.startsWith(prefix));
    if (snapshot.kind === 'active' && !passing && !records.has(containerOfSnapshot(snapshot.key))) {
      problems.push(`snapshot ${snapshot.key} belongs to no container`);
    }
  }
  for (const image of deps.images()) {
    for (const { chainId, late } of image.layers) {
      if (!late && !deps.snapshots.stat(chainId))
        problems.push(`layer ${chainId} of image ${image.id} is missing`);
    }
  }
  for (const record of records.values()) {
    const gone = record.state.status === 'removing' || record.state.status === 'dead';
    if (!gone && !deps.snapshots.stat(record.id))
      problems.push(`container ${record.id} has no root filesystem`);
  }
  return problems;
}

function isLive(record: ContainerRecord): boolean {
  return record.state.status === 'running' || record.state.status === 'paused';
}

function liveIds(deps: VerifyDeps): Set<string> {
  const live = deps.containers().filter(isLive);
  return new Set(live.map((record) => record.id));
}

/** A running container has its process; one that is not running has neither process nor cgroup. */
function checkContainers(deps: VerifyDeps): string[] {
  const problems: string[] = [];
  for (const record of deps.containers()) {
    if (isLive(record) && !deps.alive(record.state.pid)) {
      problems.push(
        `container ${record.id} is ${record.state.status}, but its process ${record.state.pid} is gone`,
      );
    }
    if (!isLive(record) && record.state.status !== 'restarting' && deps.hasCgroup(record)) {
      problems.push(`container ${record.id} is ${record.state.status}, but has a cgroup`);
    }
  }
  return problems;
}

/** Root filesystems are mounted for running containers and for no others. */
function checkMounts(deps: VerifyDeps): string[] {
  const problems: string[] = [];
  const live = liveIds(deps);
  const mounted = new Set<string>();
  for (const point of deps.mountPoints()) {
    if (!point.startsWith(`${deps.paths.mounts}/`)) continue;
    const id = point.slice(deps.paths.mounts.length + 1).split('/')[0] as string;
    mounted.add(id);
    if (!live.has(id)) problems.push(`${point} is mounted, but container ${id} does not run`);
  }
  for (const id of live) {
    if (!mounted.has(id)) problems.push(`the root filesystem of running container ${id} is not mounted`);
  }
  return problems;
}

/** Runtime state is left only of running containers. */
async function checkTasks(deps: VerifyDeps): Promise<string[]> {
  const live = liveIds(deps);
  const left = await deps.tasks.leftovers();
  return left
    .filter((id) => !live.has(id))
    .map((id) => `runtime state of ${id} is left, but it does not run`);
}

/** Each volume has its directory, each directory its volume. */
function checkVolumes(deps: VerifyDeps): string[] {
  const local = deps.volumes.list().filter(({ driver }) => driver === 'local');
  const names = new Set(local.map((volume) => volume.name));
  const underway = new Set(deps.volumes.underway());
  const problems = [...names]
    .filter((name) => !underway.has(name) && !existsSync(deps.volumes.mountpoint(name)))
    .map((name) => `the directory of volume ${name} is missing`);
  if (!existsSync(deps.paths.volumes)) return problems;
  for (const entry of readdirSync(deps.paths.volumes, { withFileTypes: true })) {
    if (!entry.isDirectory() || names.has(entry.name) || underway.has(entry.name)) continue;
    problems.push(`${join(deps.paths.volumes, entry.name)} is a directory of no volume`);
  }
  return problems;
}
