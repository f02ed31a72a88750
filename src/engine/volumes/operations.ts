import type { Filters, Volume, VolumeCreateOptions } from '../../api/index.ts';
import { type Logger, WharfError } from '../../base/index.ts';
import type { VolumeRecord, VolumeStore } from '../../volume/index.ts';
import type { EventBus } from '../events/types.ts';
import { booleanFilter, checkFilterKeys, matchLabels, matchPattern } from '../filters/index.ts';

export interface VolumeDeps {
  volumes: VolumeStore;
  events: Pick<EventBus, 'publish'>;
  /** Ids of the containers, running or not, that have a mount of that volume. */
  volumeUsers(name: string): string[];
  /** Names of all volumes that some container has a mount of. */
  usedVolumes(): ReadonlySet<string>;
  log: Logger;
}

const LIST_FILTERS = new Set(['dangling', 'name', 'driver', 'label']);

/** The wire form of a volume. */
export function volumeDocument(volumes: Pick<VolumeStore, 'mountpoint'>, volume: VolumeRecord): Volume {
  const orNull = (map: Record<string, string>) => (Object.keys(map).length ? map : null);
  return {
    CreatedAt: volume.createdAt,
    Driver: volume.driver,
    Labels: orNull(volume.labels),
    Mountpoint: volumes.mountpoint(volume.name),
    Name: volume.name,
    Options: orNull(volume.options),
    Scope: 'local',
    // The wire has null where the types, made from the contract, know a map only.
  } as Volume;
}

/** Volumes by name, newest last. Errors: `invalid` filter. */
export async function listVolumes(
  deps: VolumeDeps,
  filters: Filters,
): Promise<{ Volumes: Volume[]; Warnings: string[] }> {
  checkFilterKeys(filters, LIST_FILTERS);
  const dangling = booleanFilter(filters, 'dangling');
  const used = dangling === undefined ? new Set<string>() : deps.usedVolumes();
  const drivers = filters.get('driver') ?? [];
  const found = deps.volumes.list().filter((volume) => {
    if (dangling !== undefined && used.has(volume.name) === dangling) return false;
    if (drivers.length > 0 && !drivers.includes(volume.driver)) return false;
    return matchPattern(filters, 'name', [volume.name]) && matchLabels(filters, volume.labels);
  });
  return { Volumes: found.map((volume) => volumeDocument(deps.volumes, volume)), Warnings: [] };
}

/** Makes a volume, or answers with the one of that name. Errors: `invalid`, `not-found` driver. */
export async function createVolume(deps: VolumeDeps, options: VolumeCreateOptions): Promise<Volume> {
  if (options.ClusterVolumeSpec) {
    throw new WharfError(
      'unavailable',
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    );
  }
  const { volume, created } = await deps.volumes.create({
    ...(options.Name ? { name: options.Name } : {}),
    ...(options.Driver ? { driver: options.Driver } : {}),
    options: options.DriverOpts ?? {},
    labels: options.Labels ?? {},
  });
  if (created) publishVolumeEvent(deps.events, volume, 'create');
  return volumeDocument(deps.volumes, volume);
}

/** Errors: `not-found`. */
export async function inspectVolume(deps: VolumeDeps, name: string): Promise<Volume> {
  const volume = deps.volumes.get(name);
  if (!volume) throw new WharfError('not-found', `get ${name}: no such volume`);
  return volumeDocument(deps.volumes, volume);
}

/** The volume that a removal would take; undefined for a missing one with `force`. Errors: as `removeVolume`. */
export function checkRemovable(
  deps: Pick<VolumeDeps, 'volumes' | 'volumeUsers'>,
  name: string,
  options: { force: boolean },
): VolumeRecord | undefined {
  const volume = deps.volumes.get(name);
  if (!volume) {
    if (options.force) return undefined;
    throw new WharfError('not-found', `get ${name}: no such volume`);
  }
  const users = deps.volumeUsers(name);
  if (users.length > 0) {
    throw new WharfError('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`);
  }
  return volume;
}

/** Removes a volume that no container has. With `force` a missing one is no error. Errors: `conflict`, `not-found`. */
export async function removeVolume(
  deps: VolumeDeps,
  name: string,
  options: { force: boolean },
): Promise<void> {
  const volume = checkRemovable(deps, name, options);
  if (!volume) return;
  await deps.volumes.remove(name);
  publishVolumeEvent(deps.events, volume, 'destroy');
}

/** Tells of a volume's `create`, `mount`, `unmount` or `destroy`. */
export function publishVolumeEvent(
  events: Pick<EventBus, 'publish'>,
  volume: { name: string; driver: string },
  action: 'create' | 'mount' | 'unmount' | 'destroy',
  attributes: Record<string, string> = {},
): void {
  events.publish({
    type: 'volume',
    action,
    id: volume.name,
    attributes: { driver: volume.driver, ...attributes },
  });
}
