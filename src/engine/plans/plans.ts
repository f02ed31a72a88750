import type { Filters, Plan, PlanItem } from '../../api/index.ts';
import { type Clock, WharfError } from '../../base/index.ts';
import type { NetworkStack } from '../../network/types.ts';
import type { VolumeRecord, VolumeStore } from '../../volume/types.ts';
import {
  type ContainerRecord,
  type ContainerStore,
  checkContainerRemovable,
  type LiveContainers,
  prunableContainers,
  usedVolumes,
  volumesOfItsOwn,
  volumeUsers,
} from '../containers/index.ts';
import { type ImagePlanDeps, planImagePrune, planImageRemoval } from '../images/index.ts';
import { prunableNetworks } from '../networks/index.ts';
import { checkBuildCacheFilters } from '../system/index.ts';
import { checkRemovable, prunableVolumes } from '../volumes/index.ts';

/** What plans look at. Nothing of it is changed. */
export interface PlansDeps {
  store: ContainerStore;
  live: LiveContainers;
  volumes: VolumeStore;
  networks: Pick<NetworkStack, 'list' | 'sandboxes' | 'checkRemove'>;
  images: Omit<ImagePlanDeps, 'containersOf' | 'without'>;
  /** Containers made from an image. */
  containersOf: ImagePlanDeps['containersOf'];
  /** Bytes of disk that come free with a container. */
  containerBytes: (id: string) => Promise<number>;
  clock: Clock;
}

type PruneOptions = { all: boolean; volumes: boolean };
type RemoveOptions = { force: boolean; volumes: boolean };
type Kind = 'containers' | 'images' | 'volumes' | 'networks';

const NONE: ReadonlySet<string> = new Set();

/** What a prune would take away now. Errors: `invalid` filter, as the prune itself. */
export async function planPrune(
  deps: PlansDeps,
  kind: Kind | 'system' | 'builder',
  filters: Filters,
  options: PruneOptions,
): Promise<Plan> {
  switch (kind) {
    case 'containers':
      return sum(await containerItems(deps, prunableContainers(deps, filters)));
    case 'images':
      return sum(await planImagePrune(imageDeps(deps), withAll(filters, options.all, 'dangling', 'false')));
    case 'volumes': {
      const wanted = withAll(filters, options.all, 'all', 'true');
      return sum(await volumeItems(deps, prunableVolumes(volumeView(deps), wanted)));
    }
    case 'networks':
      return sum(prunableNetworks(deps, filters).map(networkItem));
    case 'builder':
      checkBuildCacheFilters(deps, filters);
      return sum([]);
    case 'system':
      return sum(await systemItems(deps, filters, options));
  }
}

/** What removing these one after the other would take away now; what would be refused has a `Reason`. */
export async function planRemoval(
  deps: PlansDeps,
  kind: Kind,
  refs: readonly string[],
  options: RemoveOptions,
): Promise<Plan> {
  switch (kind) {
    case 'containers':
      return sum(await containerRemoval(deps, refs, options));
    case 'images':
      return sum(await planImageRemoval(imageDeps(deps), refs, options));
    case 'volumes':
      return sum(await volumeRemoval(deps, refs, options));
    case 'networks':
      return sum(networkRemoval(deps, refs));
  }
}

function sum(items: PlanItem[]): Plan {
  return { Items: items, Bytes: items.reduce((total, item) => total + item.Bytes, 0) };
}

/** The client says `all` by a filter; who asks for a plan says it in either way. */
function withAll(filters: Filters, all: boolean, key: string, value: string): Filters {
  return all ? new Map([...filters, [key, [value]]]) : filters;
}

/** In the order of the command: what later parts find is what the earlier ones leave. */
async function systemItems(deps: PlansDeps, filters: Filters, options: PruneOptions): Promise<PlanItem[]> {
  const containers = prunableContainers(deps, filters);
  const gone = new Set(containers.map(({ id }) => id));
  const items = await containerItems(deps, containers);
  items.push(...prunableNetworks(deps, filters).map(networkItem));
  if (options.volumes)
    items.push(...(await volumeItems(deps, prunableVolumes(volumeView(deps, gone), filters))));
  const images = withAll(filters, options.all, 'dangling', 'false');
  return [...items, ...(await planImagePrune(imageDeps(deps, gone), images))];
}

function imageDeps(deps: PlansDeps, gone = NONE): ImagePlanDeps {
  const containersOf = (id: string) => deps.containersOf(id).filter((user) => !gone.has(user.id));
  return { ...deps.images, containersOf, without: gone };
}

/** Volumes with their users, were those in `gone` gone already. */
function volumeView({ store, volumes }: PlansDeps, gone = NONE) {
  const left = { all: () => store.all().filter(({ id }) => !gone.has(id)) };
  return {
    volumes,
    usedVolumes: () => usedVolumes(left),
    volumeUsers: (name: string) => volumeUsers(left, name),
  };
}

function containerItems(deps: PlansDeps, records: readonly ContainerRecord[]): Promise<PlanItem[]> {
  return Promise.all(
    records.map(async ({ id, name }) => {
      return { Kind: 'container' as const, ID: id, Name: name, Bytes: await deps.containerBytes(id) };
    }),
  );
}

function volumeItems(deps: PlansDeps, volumes: readonly VolumeRecord[]): Promise<PlanItem[]> {
  return Promise.all(
    volumes.map(async ({ name }) => {
      const { bytes } = await deps.volumes.usage(name);
      return { Kind: 'volume' as const, ID: name, Name: name, Bytes: bytes };
    }),
  );
}

function networkItem({ id, name }: { id: string; name: string }): PlanItem {
  return { Kind: 'network', ID: id, Name: name, Bytes: 0 };
}

function refused(Kind: PlanItem['Kind'], Name: string, thrown: unknown): PlanItem {
  return { Kind, ID: '', Name, Bytes: 0, Reason: WharfError.from(thrown).message };
}

async function containerRemoval(
  deps: PlansDeps,
  refs: readonly string[],
  options: RemoveOptions,
): Promise<PlanItem[]> {
  const items: PlanItem[] = [];
  const gone = new Set<string>();
  for (const ref of refs) {
    try {
      const record = deps.store.resolve(ref);
      if (gone.has(record.id)) throw new WharfError('not-found', `No such container: ${ref}`);
      checkContainerRemovable(deps, record, ref, options);
      items.push(...(await containerItems(deps, [record])));
      if (options.volumes) items.push(...(await volumeItems(deps, volumesOfItsOwn(deps, record, gone))));
      gone.add(record.id);
    } catch (thrown) {
      items.push(refused('container', ref, thrown));
    }
  }
  return items;
}

async function volumeRemoval(
  deps: PlansDeps,
  refs: readonly string[],
  options: { force: boolean },
): Promise<PlanItem[]> {
  const items: PlanItem[] = [];
  for (const name of new Set(refs)) {
    try {
      const volume = checkRemovable(volumeView(deps), name, options);
      if (volume) items.push(...(await volumeItems(deps, [volume])));
    } catch (thrown) {
      items.push(refused('volume', name, thrown));
    }
  }
  return items;
}

function networkRemoval(deps: PlansDeps, refs: readonly string[]): PlanItem[] {
  const gone = new Set<string>();
  return refs.map((ref) => {
    try {
      const network = deps.networks.checkRemove(ref, gone);
      if (gone.has(network.id)) throw new WharfError('not-found', `network ${ref} not found`);
      gone.add(network.id);
      return networkItem(network);
    } catch (thrown) {
      return refused('network', ref, thrown);
    }
  });
}
