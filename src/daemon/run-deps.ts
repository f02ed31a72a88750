import type { RunDeps } from '../engine/containers/index.ts';
import { updateLinkedFiles, updateNetworkFiles, writeNetworkFiles } from '../engine/containers/index.ts';
import { healthMonitor } from '../engine/execs/index.ts';
import { assembleSpec, execProcess, prepareWorkdir, resolveUser } from '../runtime/index.ts';
import type { CurrentSettings } from './current-settings.ts';
import type { Engine } from './engine.ts';

/** What starting a container uses. */
export function runDeps(engine: Engine, current: CurrentSettings): RunDeps {
  const { store, live, events, clock, log, networks, mounts, paths, logs, tasks, storage } = engine;
  const specs: RunDeps['specs'] = {
    assembleSpec,
    execProcess,
    resolveUser,
    prepareWorkdir,
    host: engine.host,
    defaults: () => current.specDefaults(),
  };
  const core = { store, live, events, clock, log };
  const files = { dataRoot: current.settings.dataRoot, store, networks: configuredNetworks(engine, current) };
  return {
    ...core,
    networks,
    volumes: storage.volumes,
    snapshotter: storage.snapshots,
    mounts,
    paths,
    logs,
    tasks,
    specs,
    writeNetworkFiles: (record, sandbox) => writeNetworkFiles(files, record, sandbox),
    updateNetworkFiles: (record, before, after) => updateNetworkFiles(files, record, before, after),
    updateLinkedFiles: (target, sandbox) => updateLinkedFiles({ ...files, live }, target, sandbox),
    daemonDns: () => current.settings.network.dns,
    runtime: (name) => current.runtime(name),
    monitorHealth: healthMonitor({ ...core, specs, paths }),
  };
}

/** The network stack's answers with what the configuration says instead of the host. */
function configuredNetworks({ networks }: Engine, current: CurrentSettings) {
  const { dns, dnsSearch, dnsOpts, hostGatewayIp } = current.settings.network;
  return {
    sandbox: (id: string) => networks.sandbox(id),
    hostGateway: (network: string) => hostGatewayIp ?? networks.hostGateway(network),
    resolverConfig() {
      const host = networks.resolverConfig();
      return {
        nameservers: dns.length > 0 ? dns : host.nameservers,
        search: dnsSearch.length > 0 ? dnsSearch : host.search,
        options: dnsOpts.length > 0 ? dnsOpts : host.options,
      };
    },
  };
}
