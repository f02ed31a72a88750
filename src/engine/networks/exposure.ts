import type { ExposureDocument } from '../../api/index.ts';
import type { Exposure } from '../../network/types.ts';
import type { ContainerRecord } from '../containers/index.ts';
import type { NetworkDeps } from './deps.ts';
import { listeningSockets } from './listening-sockets.ts';

/** What exposure asks of the deps; `sockets` finds where processes listen. */
export type ExposureDeps = Pick<NetworkDeps, 'networks' | 'store' | 'live'> & {
  sockets?: typeof listeningSockets;
};

/**
 * Every way to a port of a running container: those through networks, and the sockets on which processes on the host's
 * network listen. Sorted by container, then by place.
 */
export async function networkExposure(deps: ExposureDeps): Promise<ExposureDocument[]> {
  // Of containers on the host's network the stack knows only that all is open; their sockets say what is.
  const ways = deps.networks.exposure().filter(({ network }) => network !== '');
  const rows = ways.map((one) => exposureDocument(deps, one));
  for (const record of deps.store.all()) {
    if (usesHostNetwork(deps, record)) rows.push(...(await hostSockets(deps, record)));
  }
  const key = ({ ContainerName, Network, Port, At }: ExposureDocument) =>
    [ContainerName, Network, Port, At].join('\0');
  return rows.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function exposureDocument({ store }: Pick<NetworkDeps, 'store'>, one: Exposure): ExposureDocument {
  return {
    ContainerID: one.containerId,
    ContainerName: store.get(one.containerId)?.name ?? '',
    Network: one.network,
    Port: one.protocol === 'any' ? 'any' : `${one.containerPort}/${one.protocol}`,
    At: one.at,
    From: one.from,
    Why: one.why,
  };
}

/** Also when it shares the network of a container that does. */
function usesHostNetwork(deps: Pick<NetworkDeps, 'store'>, record: ContainerRecord): boolean {
  const mode = record.hostConfig.NetworkMode ?? '';
  if (mode === 'host') return true;
  const target = mode.startsWith('container:') ? deps.store.get(mode.slice('container:'.length)) : undefined;
  return target !== undefined && usesHostNetwork(deps, target);
}

async function hostSockets(deps: ExposureDeps, record: ContainerRecord): Promise<ExposureDocument[]> {
  const pids = (await deps.live.task(record.id)?.pids()) ?? [];
  return (deps.sockets ?? listeningSockets)(pids).map(({ protocol, port, at, loopback }) => ({
    ContainerID: record.id,
    ContainerName: record.name,
    Network: 'host',
    Port: `${port}/${protocol}`,
    At: at,
    From: loopback ? 'host' : 'lan',
    Why: `the container uses the host's network (--network host) and listens on ${at}`,
  }));
}
