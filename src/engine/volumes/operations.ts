import type { Filters, Volume, VolumeCreateOptions, VolumeWithUsers } from '../../api/index.ts';
import { type Logger, WharfError } from '../../base/index.ts';
import type { VolumeDetail, VolumeRecord, VolumeStore } from '../../volume/index.ts';
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
export function volumeDocument({ volume, mountpoint, scope, status }: VolumeDetail): Volume {
  const orNull = (map: Record<string, string>) => (Object.keys(map).length ? map : null);
  return {
    CreatedAt: volume.createdAt,
    Driver: volume.driver,
    Labels: orNull(volume.labels),
    Mountpoint: mountpoint,
    Name: volume.name,
    Options: orNull(volume.options),
    Scope: scope,
    ...(status ? { Status: status } : {}),
    // The wire has null where the types, made from the contract, know a map only.
  } as Volume;
}

/** Volumes by name, newest last; those of plugins as these tell. Errors: `invalid` filter. */
export async function listVolumes(
  deps: VolumeDeps,
  filters: Filters,
): Promise<{ Volumes: Volume[]; Warnings: string[] }> {
  checkFilterKeys(filters, LIST_FILTERS);
  const dangling = booleanFilter(filters, 'dangling');
  const used = dangling === undefined ? new Set<string>() : deps.usedVolumes();
  const drivers = filters.get('driver') ?? [];
  const { volumes, warnings } = await deps.volumes.listed();
  const found = volumes.filter(({ volume }) => {
    if (dangling !== undefined && used.has(volume.name) === dangling) return false;
    if (drivers.length > 0 && !drivers.includes(volume.driver)) return false;
    return matchPattern(filters, 'name', [volume.name]) && matchLabels(filters, volume.labels);
  });
  return { Volumes: found.map(volumeDocument), Warnings: warnings };
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
  return inspectVolume(deps, volume.name);
}

/** Errors: `not-found`. */
export async function inspectVolume(deps: Pick<VolumeDeps, 'volumes'>, name: string): Promise<Volume> {
  const found = await deps.volumes.find(name);
  if (!found) throw new WharfError('not-found', `get ${name}: no such volume`);
  return volumeDocument(found);
}

/** The volume with the bytes that it takes of this disk (-1 where its files lie elsewhere), and who has it. Errors: `not-found`. */
export async function inspectVolumeUsage(deps: VolumeDeps, name: string): Promise<VolumeWithUsers> {
  const document = await inspectVolume(deps, name);
  const { Driver, Options } = document;
  const elsewhere = Driver !== 'local' || Options?.['type'] !== undefined;
  const Size = elsewhere ? -1 : (await deps.volumes.usage(name)).bytes;
  const ids = deps.volumeUsers(name);
  return { ...document, UsageData: { Size, RefCount: ids.length }, Users: ids };
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
  return checkFree(deps, volume);
}

function checkFree(deps: Pick<VolumeDeps, 'volumeUsers'>, volume: VolumeRecord): VolumeRecord {
  const users = deps.volumeUsers(volume.name);
  if (users.length === 0) return volume;
  throw new WharfError('conflict', `remove ${volume.name}: volume is in use - [${users.join(', ')}]`);
}

/** Removes a volume that no container has. With `force` a missing one is no error. Errors: `conflict`, `not-found`. */
export async function removeVolume(
  deps: VolumeDeps,
  name: string,
  options: { force: boolean },
): Promise<void> {
  const known = deps.volumes.get(name) ?? (await deps.volumes.find(name))?.volume;
  const volume = known ? checkFree(deps, known) : checkRemovable(deps, name, options);
  if (!volume) return;
  await deps.volumes.remove(name, options);
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
