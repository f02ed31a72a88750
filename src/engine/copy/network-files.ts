import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CopyDeps } from './types.ts';

const FILES = { '/etc/resolv.conf': 'resolv.conf', '/etc/hostname': 'hostname', '/etc/hosts': 'hosts' };

/** Where each container has files of the engine's. */
export const NETWORK_FILES = Object.keys(FILES) as (keyof typeof FILES)[];

/** That file of a container on the host; undefined for a container that never ran. */
export function networkFile(
  deps: Pick<CopyDeps, 'paths'>,
  id: string,
  path: keyof typeof FILES,
): string | undefined {
  const file = join(deps.paths.containers, id, FILES[path]);
  return existsSync(file) ? file : undefined;
}
