import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerRecord } from '../containers/index.ts';

export interface ResidueDeps {
  containers: () => ContainerRecord[];
  /** Mount points of this process's mount namespace. */
  mountPoints: () => string[];
  /** Loop devices on files of the data root that nothing is mounted from: `looseLoops`. */
  looseLoops: () => string[];
  paths: { volumes: string; subpaths: string };
}

/** What of volumes is mounted, or has a loop device, though no running container has it. */
export function checkResidue(deps: ResidueDeps, live: ReadonlySet<string>): string[] {
  const { volumes, subpaths } = deps.paths;
  const running = deps.containers().filter(({ id }) => live.has(id));
  const used = new Set(running.flatMap(({ mounts }) => mounts.map(({ Name }) => Name)));
  const problems: string[] = [];
  for (const point of deps.mountPoints()) {
    const volume = point.endsWith('/_data') ? firstBelow(volumes, point) : undefined;
    if (volume !== undefined && !used.has(volume))
      problems.push(`${point} is mounted, but no running container has volume ${volume}`);
    const id = firstBelow(subpaths, point);
    if (id !== undefined && !live.has(id))
      problems.push(`${point} is mounted, but container ${id} does not run`);
  }
  return [...problems, ...deps.looseLoops().map((what) => `${what}, but nothing is mounted from it`)];
}

/** The name in `directory` at or below which a path lies. */
function firstBelow(directory: string, path: string): string | undefined {
  return path.startsWith(`${directory}/`) ? path.slice(directory.length + 1).split('/')[0] : undefined;
}

/** Loop devices whose file lies below `root` and that no mount has as its source: `/dev/loop3 has FILE`. */
export function looseLoops(root: string, mountSources: readonly string[], sysBlock = '/sys/block'): string[] {
  const mounted = new Set(mountSources);
  if (!existsSync(sysBlock)) return [];
  return readdirSync(sysBlock).flatMap((name) => {
    const file = name.startsWith('loop') ? backingFile(join(sysBlock, name)) : undefined;
    return file?.startsWith(`${root}/`) && !mounted.has(`/dev/${name}`) ? [`/dev/${name} has ${file}`] : [];
  });
}

/** Undefined for a device that has none now. */
function backingFile(device: string): string | undefined {
  try {
    return readFileSync(join(device, 'loop/backing_file'), 'utf8').trim();
  } catch {
    return undefined;
  }
}
