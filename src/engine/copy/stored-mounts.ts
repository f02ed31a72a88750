import type { ViewMount } from '../../archive/index.ts';
import { newId } from '../../base/index.ts';
import { type Fd, isErrno, O, openat2 } from '../../sys/index.ts';
import { type ContainerRecord, makeBindSource, openMounted } from '../containers/index.ts';
import { openSubpath } from '../volumes/index.ts';
import { NETWORK_FILES, networkFile } from './network-files.ts';
import type { CopyDeps } from './types.ts';

type StoredDeps = Pick<CopyDeps, 'volumes' | 'paths' | 'snapshotter' | 'dataRoot'>;

/**
 * The mounts that a container will have, by descriptors of their sources; volumes are acquired for as long as `opened` lives.
 * A bind whose source is missing is left out, and so is a tmpfs, which is empty before the start.
 */
export async function storedMounts(
  deps: StoredDeps,
  record: ContainerRecord,
  opened: AsyncDisposableStack,
): Promise<ViewMount[]> {
  const found: ViewMount[] = [];
  const add = (path: string, fd: Fd | undefined, readOnly: boolean) => {
    if (fd) found.push({ path, fd: opened.use(fd).fd, readOnly });
  };
  for (const path of NETWORK_FILES) {
    const file = networkFile(deps, record.id, path);
    if (file) add(path, openSource(file), record.hostConfig.ReadonlyRootfs === true);
  }
  for (const mount of record.mounts) {
    const { Destination = '', RW } = mount;
    if (mount.Type === 'volume') add(Destination, await openVolume(deps, mount, opened), RW === false);
    if (mount.Type === 'image') add(Destination, openImage(deps, mount), true);
    if (mount.Type !== 'bind') continue;
    makeBindSource(mount);
    add(Destination, openSource(mount.Source ?? ''), RW === false);
  }
  return found;
}

async function openVolume(
  deps: Pick<CopyDeps, 'volumes'>,
  { Name = '', subpath }: ContainerRecord['mounts'][number],
  opened: AsyncDisposableStack,
): Promise<Fd | undefined> {
  // A user of its own: the container's run, if there is one, keeps its hold when this ends.
  const user = newId();
  const directory = await deps.volumes.acquire(Name, user);
  opened.defer(() => deps.volumes.release(Name, user));
  return subpath ? openSubpath(directory, subpath) : openSource(directory);
}

function openImage(deps: StoredDeps, { imageSnapshot = '', subpath }: ContainerRecord['mounts'][number]): Fd {
  const root = openMounted(deps, deps.snapshotter.view(imageSnapshot));
  if (!subpath) return root;
  using whole = root;
  return openSubpath(`/proc/self/fd/${whole.fd}`, subpath);
}

/** What mount(2) would find there, links of the host followed. */
function openSource(path: string): Fd | undefined {
  try {
    return openat2('/', path, { flags: O.PATH });
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return undefined;
    throw thrown;
  }
}
