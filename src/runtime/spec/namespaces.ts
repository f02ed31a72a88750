import type { HostConfig } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { NamespacePaths } from '../spec-input.ts';
import type { OciNamespace } from '../spec-types.ts';

/** True when the container gets a network namespace of its own (not the host's, not another container's). */
export function privateNetwork(hostConfig: HostConfig): boolean {
  const mode = hostConfig.NetworkMode ?? 'default';
  return mode !== 'host' && !mode.startsWith('container:');
}

/** Whether a cgroup namespace is made; Docker's default is private on cgroup v2 and the host's on v1 and for privileged there. */
export function privateCgroup(hostConfig: HostConfig, cgroupVersion: 1 | 2): boolean {
  const mode = hostConfig.CgroupnsMode;
  if (mode) return mode === 'private';
  return cgroupVersion === 2 && !hostConfig.Privileged;
}

function joined(type: OciNamespace['type'], mode: string, path: string | undefined): OciNamespace {
  if (!mode.startsWith('container:')) return { type };
  if (!path) throw new WharfError('internal', `the ${type} namespace of ${mode} was not resolved`);
  return { type, path };
}

/** Namespaces to make or to join. A type that is left out is the host's. */
export function namespacesOf(
  hostConfig: HostConfig,
  paths: NamespacePaths,
  cgroupVersion: 1 | 2,
): OciNamespace[] {
  const namespaces: OciNamespace[] = [{ type: 'mount' }];
  if (hostConfig.NetworkMode !== 'host')
    namespaces.push(paths.network ? { type: 'network', path: paths.network } : { type: 'network' });
  if (hostConfig.UTSMode !== 'host') namespaces.push({ type: 'uts' });
  const pid = hostConfig.PidMode ?? '';
  if (pid !== 'host') namespaces.push(joined('pid', pid, paths.pid));
  const ipc = hostConfig.IpcMode ?? '';
  if (ipc !== 'host') namespaces.push(joined('ipc', ipc, paths.ipc));
  if (privateCgroup(hostConfig, cgroupVersion)) namespaces.push({ type: 'cgroup' });
  return namespaces;
}
