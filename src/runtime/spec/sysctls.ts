import type { ContainerConfig, HostConfig } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { privateNetwork } from './namespaces.ts';

const IPC = new Set([
  ...['kernel.msgmax', 'kernel.msgmnb', 'kernel.msgmni', 'kernel.sem', 'kernel.shmall', 'kernel.shmmax'],
  ...['kernel.shmmni', 'kernel.shm_rmid_forced'],
]);

/** Throws `invalid` for a setting that would change the host, with the text of Docker's runtime. */
function refuseUnnamespaced(name: string, hostConfig: HostConfig): void {
  if (IPC.has(name) || name.startsWith('fs.mqueue.')) {
    if (hostConfig.IpcMode === 'host')
      throw new WharfError('invalid', `sysctl "${name}" is not allowed in the hosts ipc namespace`);
    return;
  }
  if (name.startsWith('net.')) {
    if (hostConfig.NetworkMode === 'host')
      throw new WharfError('invalid', `sysctl "${name}" not allowed in host network namespace`);
    return;
  }
  if (name === 'kernel.domainname' && hostConfig.UTSMode !== 'host') return;
  throw new WharfError('invalid', `sysctl "${name}" is not in a separate kernel namespace`);
}

/** Kernel settings of the container's namespaces. Errors: `invalid`. */
export function sysctlsOf(config: ContainerConfig, hostConfig: HostConfig): Record<string, string> {
  const sysctls: Record<string, string> = {};
  if (privateNetwork(hostConfig)) {
    // In a namespace of its own, low ports and ping need no capability (Docker's defaults since 20.10).
    sysctls['net.ipv4.ip_unprivileged_port_start'] = '0';
    sysctls['net.ipv4.ping_group_range'] = '0 2147483647';
  }
  if (config.Domainname) sysctls['kernel.domainname'] = config.Domainname;
  for (const [name, value] of Object.entries(hostConfig.Sysctls ?? {})) sysctls[name] = value;
  for (const name of Object.keys(sysctls)) refuseUnnamespaced(name, hostConfig);
  return sysctls;
}
