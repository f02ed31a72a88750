import { join } from 'node:path';

/** A container's own directory: its log and its files for /etc. */
export function containerDirectory(dataRoot: string, id: string): string {
  return join(dataRoot, 'containers', id);
}

/** The files that are bound over /etc/hosts, /etc/hostname and /etc/resolv.conf. */
export interface NetworkFilePaths {
  hosts: string;
  hostname: string;
  resolvConf: string;
}

/** Where those files of a container are; one that shares another's network uses the other's. */
export function networkFilePaths(dataRoot: string, ownerId: string): NetworkFilePaths {
  const directory = containerDirectory(dataRoot, ownerId);
  return {
    hosts: join(directory, 'hosts'),
    hostname: join(directory, 'hostname'),
    resolvConf: join(directory, 'resolv.conf'),
  };
}
