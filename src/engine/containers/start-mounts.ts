import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mount } from '../../api/index.ts';
import { span, type UndoStack, WharfError } from '../../base/index.ts';
import type { OciMount } from '../../runtime/spec-types.ts';
import { finishCopyUp } from '../volumes/index.ts';
import { mountImage } from './image-mounts.ts';
import type { NetworkFiles, TeardownDeps } from './lifecycle-deps.ts';
import { makeBindSource } from './make-mounts.ts';
import { checkPropagation } from './mount-propagation.ts';
import { checkTmpfsWords } from './mount-spec.ts';
import type { ContainerRecord, MountRecord } from './record.ts';

type MountDeps = Pick<TeardownDeps, 'volumes' | 'mounts' | 'paths' | 'snapshotter'>;

/** Said anew from the record's own fields. */
const ACCESS = new Set(['bind', 'rbind', 'ro', 'rro']);

const PROPAGATIONS = [
  'private',
  'rprivate',
  'shared',
  'rshared',
  'slave',
  'rslave',
  'unbindable',
  'runbindable',
];

/**
 * Resolves a container's mounts to host paths: volumes are acquired, subpaths bound, missing bind sources made where
 * the request's form allows it. What was taken is pushed on `undo`. Sorted so that nested ones come after their parents.
 */
export async function resolveMounts(
  deps: MountDeps,
  record: ContainerRecord,
  undo: UndoStack,
): Promise<OciMount[]> {
  using _ = span('mount.volumes', record.id);
  const resolved: OciMount[] = [];
  for (const mount of record.mounts) {
    const asked = record.hostConfig.Mounts?.find((one) => one.Target === mount.Destination);
    if (mount.Type === 'tmpfs') resolved.push(tmpfsMount(mount));
    else if (mount.Type === 'volume') resolved.push(await volumeMount(deps, record, mount, asked, undo));
    else if (mount.Type === 'image') resolved.push(imageMount(deps, record, mount, undo));
    else resolved.push(bindMount(deps, mount, asked, bindSource(mount)));
  }
  return resolved.sort((a, b) => depth(a.destination) - depth(b.destination));
}

/** Adds the binds of `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf`, each unless the request mounts something there. */
export function addNetworkFiles(mounts: OciMount[], files: NetworkFiles, readonly: boolean): OciMount[] {
  const taken = new Set(mounts.map((mount) => mount.destination));
  const options = readonly ? ['rbind', 'ro', 'rprivate'] : ['rbind', 'rprivate'];
  const own: [string, string | undefined][] = [
    ['/etc/resolv.conf', files.resolvConf],
    ['/etc/hostname', files.hostname],
    ['/etc/hosts', files.hosts],
  ];
  const added = own.flatMap(([destination, source]) =>
    source && !taken.has(destination) ? [{ destination, type: 'bind', source, options }] : [],
  );
  // Before deeper mounts of the request, after a mount on /etc itself.
  return [...mounts, ...added].sort((a, b) => depth(a.destination) - depth(b.destination));
}

function depth(path: string): number {
  return path.split('/').filter(Boolean).length;
}

function tmpfsMount(mount: MountRecord): OciMount {
  const options = [...(mount.options ?? [])];
  checkTmpfsWords(options);
  if (mount.RW === false && !options.includes('ro')) options.push('ro');
  return { destination: mount.Destination ?? '', type: 'tmpfs', source: 'tmpfs', options };
}

function bindSource(mount: MountRecord): string {
  makeBindSource(mount);
  const source = mount.Source ?? '';
  if (existsSync(source)) return source;
  const text = `invalid mount config for type "bind": bind source path does not exist: ${source}`;
  throw new WharfError('invalid', text);
}

async function volumeMount(
  deps: MountDeps,
  record: ContainerRecord,
  mount: MountRecord,
  asked: Mount | undefined,
  undo: UndoStack,
): Promise<OciMount> {
  const name = mount.Name ?? '';
  let source = await deps.volumes.acquire(name, record.id);
  undo.push(`release volume ${name}`, () => deps.volumes.release(name, record.id));
  finishCopyUp(source);
  const subpath = mount.subpath ?? asked?.VolumeOptions?.Subpath;
  if (subpath) source = bindSubpath(deps, record, mount, { source, subpath }, undo);
  return bindMount(deps, mount, asked, source);
}

function imageMount(deps: MountDeps, record: ContainerRecord, mount: MountRecord, undo: UndoStack): OciMount {
  const source = mountImage(deps, record, mount, undo);
  const { subpath } = mount;
  return bindMount(
    deps,
    mount,
    undefined,
    subpath ? bindSubpath(deps, record, mount, { source, subpath }, undo) : source,
  );
}

function bindSubpath(
  deps: MountDeps,
  record: ContainerRecord,
  mount: MountRecord,
  { source, subpath }: { source: string; subpath: string },
  undo: UndoStack,
): string {
  const target = join(deps.paths.subpaths, record.id, String(record.mounts.indexOf(mount)));
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  deps.mounts.bindBeneath(source, subpath, target);
  undo.push(`unbind subpath of ${mount.Name}`, () => deps.mounts.unmount(target));
  return target;
}

function bindMount(deps: MountDeps, mount: MountRecord, asked: Mount | undefined, source: string): OciMount {
  const words = (mount.options ?? []).filter((word) => !ACCESS.has(word));
  const bind = asked?.BindOptions;
  const flat = bind?.NonRecursive || mount.options?.includes('bind');
  const propagation = mount.Propagation || words.find((word) => PROPAGATIONS.includes(word)) || 'rprivate';
  const options = [flat ? 'bind' : 'rbind', ...words.filter((word) => !PROPAGATIONS.includes(word))];
  if (mount.RW === false)
    options.push(
      // A bind that is not recursive, too: crun 1.8 takes along what is mounted below.
      ...readOnlyWords(bind?.ReadOnlyNonRecursive === true || !isDirectory(source)),
    );
  // Of the host's mount or a volume's own: the runtime mounts anew, and takes the lack of a word for leave.
  const kept = deps.mounts.restrictions(source).filter((word) => !options.includes(word));
  options.push(...kept, propagation);
  checkPropagation(source, propagation);
  return { destination: mount.Destination ?? '', type: 'bind', source, options };
}

/** Nothing is mounted below a file, and the runtime refuses to look there. */
function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Read-only covers what is mounted below, too, unless the request says otherwise (`rro`: mount_setattr(2), kernel 5.12). */
function readOnlyWords(flat: boolean): string[] {
  return flat ? ['ro'] : ['ro', 'rro'];
}
