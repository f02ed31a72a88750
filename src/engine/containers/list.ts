import type { ContainerSummary, EndpointSettings, Filters, NetworkSettings, Port } from '../../api/index.ts';
import { type Clock, mapLimit } from '../../base/index.ts';
import type { NetworkStack, SandboxRecord } from '../../network/types.ts';
import type { Snapshotter } from '../../snapshot/types.ts';
import type { ImageLookup } from './deps.ts';
import { listPredicate } from './list-filters.ts';
import { mountDocuments } from './mount-documents.ts';
import type { ContainerRecord } from './record.ts';
import { containerSizes } from './sizes.ts';
import { countsAsRunning, statusText, timeNanos } from './status-text.ts';
import type { ContainerStore } from './store.ts';

/** The network half of list and inspect; `engine/networks` has it. */
export type NetworkSettingsOf = (input: {
  record: ContainerRecord;
  sandbox?: SandboxRecord;
  targetRecord?: ContainerRecord;
}) => NetworkSettings;

export interface ListDeps {
  store: ContainerStore;
  images: ImageLookup;
  networks: Pick<NetworkStack, 'sandbox'>;
  networkSettings: NetworkSettingsOf;
  snapshotter: Snapshotter;
  clock: Clock;
}

export interface ListInput {
  all: boolean;
  limit: number;
  size: boolean;
  filters: Filters;
}

/** Containers, newest first: the running ones, or all when asked, limited or filtered by status. Errors: see `listPredicate`. */
export async function listContainers(deps: ListDeps, input: ListInput): Promise<ContainerSummary[]> {
  const matches = listPredicate(deps, input.filters);
  const all = input.all || input.limit > 0 || (input.filters.get('status')?.length ?? 0) > 0;
  const records: ContainerRecord[] = [];
  for (const record of deps.store.all()) {
    if (input.limit > 0 && records.length >= input.limit) break;
    if ((all || countsAsRunning(record)) && matches(record)) records.push(record);
  }
  const now = deps.clock.nowNanos();
  const shownImage = imageNames(deps.images);
  const summaries = records.map((record) => summarize(deps, record, now, shownImage(record)));
  if (input.size) {
    const sizes = await mapLimit(records, 4, (record) => containerSizes(deps.snapshotter, record.id));
    for (const [index, summary] of summaries.entries()) Object.assign(summary, sizes[index]);
  }
  return summaries;
}

/** What a list shows as image: the name that was asked for, or the id once that name stands for another image. */
function imageNames(images: ImageLookup): (record: ContainerRecord) => string {
  const current = new Map<string, string | undefined>();
  return (record) => {
    if (!current.has(record.imageRef)) {
      let id: string | undefined;
      try {
        id = images.resolve(record.imageRef)?.imageId;
      } catch {
        id = undefined;
      }
      current.set(record.imageRef, id);
    }
    return current.get(record.imageRef) === record.imageId ? record.imageRef : record.imageId;
  };
}

function summarize(deps: ListDeps, record: ContainerRecord, now: bigint, image: string): ContainerSummary {
  const sandbox = record.sandboxId ? deps.networks.sandbox(record.sandboxId) : undefined;
  const settings = deps.networkSettings({ record, ...(sandbox ? { sandbox } : {}) });
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: image,
    ImageID: record.imageId,
    Command: commandText(record),
    Created: Number(timeNanos(record.created) / 1_000_000_000n),
    Ports: countsAsRunning(record) ? portList(settings) : [],
    Labels: record.config.Labels ?? {},
    State: record.state.status,
    Status: statusText(record, now),
    HostConfig: {
      NetworkMode: record.hostConfig.NetworkMode ?? '',
      ...(record.hostConfig.Annotations ? { Annotations: record.hostConfig.Annotations } : {}),
    },
    NetworkSettings: { Networks: briefNetworks(settings.Networks) },
    Mounts: mountDocuments(record),
  };
}

/** Program and arguments in one line, arguments with a blank in quotes. */
export function commandText({ path, args }: Pick<ContainerRecord, 'path' | 'args'>): string {
  return [path, ...args.map((word) => (word.includes(' ') ? `'${word}'` : word))].join(' ');
}

/** Lists leave out what was asked for, save the addresses. */
function briefNetworks(networks: NetworkSettings['Networks']): Record<string, EndpointSettings> {
  const brief = Object.entries(networks ?? {}).map(([name, settings]) => {
    const { IPv4Address, IPv6Address } = settings.IPAMConfig ?? {};
    const addresses = { ...(IPv4Address && { IPv4Address }), ...(IPv6Address && { IPv6Address }) };
    const IPAMConfig = settings.IPAMConfig ? addresses : settings.IPAMConfig;
    return [name, { ...settings, IPAMConfig, Links: null, Aliases: null, DriverOpts: null, DNSNames: null }];
  });
  return Object.fromEntries(brief);
}

function portList(settings: NetworkSettings): Port[] {
  return Object.entries(settings.Ports ?? {}).flatMap(([name, bindings]): Port[] => {
    const [number = '', type = 'tcp'] = name.split('/');
    const port = { PrivatePort: Number(number), Type: type };
    if (!bindings || bindings.length === 0) return [port];
    return bindings.map((binding) => ({
      IP: binding.HostIp ?? '',
      PrivatePort: port.PrivatePort,
      PublicPort: Number(binding.HostPort),
      Type: type,
    }));
  });
}
