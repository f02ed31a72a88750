import { type CopySource, type CopyStep, type CopyTarget, copyView } from '../../archive/index.ts';
import { WharfError } from '../../base/index.ts';
import { type Fd, O, openat2 } from '../../sys/index.ts';
import { publishContainerEvent } from '../containers/index.ts';
import { containerPath, entryName } from './container-path.ts';
import { openContainerView } from './container-view.ts';
import { lookupError, refuseNul } from './copy-errors.ts';
import { type CopyInOptions, containerUser, extractionError, targetFolder } from './copy-in.ts';
import { statPath } from './path-stat.ts';
import type { CopyDeps } from './types.ts';

/** A file or folder of this host; see the server's contract. */
export interface HostSource {
  folder: string;
  entry: string;
  name: string;
}

/** A folder of this host that is copied into; see the server's contract. */
export interface HostTarget {
  folder: string;
  name: string | undefined;
  keepOwners: boolean;
}

/** How far it is; `hostError` is what went wrong on this host's side, and comes last. */
export interface HostCopyStep {
  bytes: number;
  hostError?: string;
}

/** As `copyIn` of the tar of something on this host. */
export async function* copyInFromHost(
  deps: CopyDeps,
  ref: string,
  asked: string,
  { folder, entry, name }: HostSource,
  options: CopyInOptions,
  signal: AbortSignal,
): AsyncGenerator<HostCopyStep, void, undefined> {
  const path = containerPath(asked);
  refuseNul(path);
  await using files = await openContainerView(deps, ref);
  const target = {
    view: files.view,
    path: targetFolder(files.view, ref, path),
    overwriteDirNonDir: !options.noOverwriteDirNonDir,
    owner: options.copyUidGid ? containerUser(deps, files) : undefined,
  };
  using root = openFolder(folder);
  const source = { view: { root: root.fd, mounts: [] }, path: `/${entry}`, name };
  const failed = yield* copy(source, target, 'source', signal);
  if (failed?.end === 'target') throw extractionError(ref, path, failed.reason);
  if (!failed) publishContainerEvent(deps.events, files.record, 'extract-to-dir');
}

/** As `copyOut`, unpacked in a folder of this host. */
export async function* copyOutToHost(
  deps: CopyDeps,
  ref: string,
  asked: string,
  { folder, name, keepOwners }: HostTarget,
  signal: AbortSignal,
): AsyncGenerator<HostCopyStep, void, undefined> {
  const path = containerPath(asked);
  refuseNul(path);
  await using files = await openContainerView(deps, ref);
  statPath(files.view, ref, path);
  using root = openFolder(folder);
  const source = { view: files.view, path: path.path, name: name ?? entryName(path) };
  const target = {
    view: { root: root.fd, mounts: [] },
    path: '/',
    overwriteDirNonDir: false,
    owner: keepOwners ? undefined : { uid: 0, gid: 0 },
  };
  const failed = yield* copy(source, target, 'target', signal);
  if (failed?.end === 'source') throw lookupError(ref, path, path.path, failed.reason);
  if (!failed) publishContainerEvent(deps.events, files.record, 'archive-path');
}

/** Tells no more often than somebody could read it. Milliseconds. */
const INTERVAL = 250;

/** Passes on how far it is; the last step tells what the host's end failed with. Returns what either end failed with. */
async function* copy(
  source: CopySource,
  target: CopyTarget,
  hostEnd: 'source' | 'target',
  signal: AbortSignal,
): AsyncGenerator<HostCopyStep, CopyStep['fault'], undefined> {
  let told = performance.now();
  let last: CopyStep = { bytes: 0 };
  for await (const step of copyView(source, target, signal)) {
    last = step;
    if (step.fault || performance.now() - told < INTERVAL) continue;
    told = performance.now();
    yield { bytes: step.bytes };
  }
  const { bytes, fault } = last;
  if (!fault) yield { bytes };
  else if (fault.end === hostEnd) yield { bytes, hostError: fault.reason.message };
  return fault;
}

function openFolder(folder: string): Fd {
  if (!folder.startsWith('/')) throw new WharfError('invalid', 'the folder of this host is not absolute');
  return openat2(folder, '.', { flags: O.PATH | O.DIRECTORY });
}
