import type { Filters, Volume, VolumeCreateOptions } from '../../api/index.ts';
import { isKind, type Logger, WharfError } from '../../base/index.ts';
import { ANONYMOUS_LABEL, type VolumeRecord, type VolumeStore } from '../../volume/index.ts';
import type { EventBus } from '../events/types.ts';
import { booleanFilter, checkFilterKeys, matchLabels, matchPattern, parseBoolean } from '../filters/index.ts';

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
const PRUNE_FILTERS = new Set(['label', 'label!', 'all']);

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

/** Removes a volume that no container has. With `force` a missing one is no error. Errors: `conflict`, `not-found`. */
export async function removeVolume(
  deps: VolumeDeps,
  name: string,
  options: { force: boolean },
): Promise<void> {
  const volume = deps.volumes.get(name);
  if (!volume) {
    if (options.force) return;
    throw new WharfError('not-found', `get ${name}: no such volume`);
  }
  const users = deps.volumeUsers(name);
  if (users.length > 0) {
    throw new WharfError('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`);
  }
  await deps.volumes.remove(name);
  publishVolumeEvent(deps.events, volume, 'destroy');
}

/**
 * Removes the anonymous volumes (with the filter `all`, named ones too) that no container has. One that can't be removed
 * is logged and passed over.
 */
export async function pruneVolumes(
  deps: VolumeDeps,
  filters: Filters,
): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }> {
  checkFilterKeys(filters, PRUNE_FILTERS);
  const all = allFilter(filters);
  const pruned = { VolumesDeleted: [] as string[], SpaceReclaimed: 0 };
  for (const volume of deps.volumes.list()) {
    if (!all && !Object.hasOwn(volume.labels, ANONYMOUS_LABEL)) continue;
    if (!matchLabels(filters, volume.labels) || deps.volumeUsers(volume.name).length > 0) continue;
    try {
      const { bytes } = await deps.volumes.usage(volume.name);
      await removeVolume(deps, volume.name, { force: false });
      pruned.VolumesDeleted.push(volume.name);
      pruned.SpaceReclaimed += bytes;
    } catch (thrown) {
      if (!isKind(thrown, 'conflict'))
        deps.log.warn('volume not pruned', { volume: volume.name, error: thrown });
    }
  }
  deps.events.publish({
    type: 'volume',
    action: 'prune',
    id: '',
    attributes: { reclaimed: String(pruned.SpaceReclaimed) },
  });
  return pruned;
}

function allFilter(filters: Filters): boolean {
  const values = filters.get('all') ?? [];
  if (values.length === 0) return false;
  if (values.length > 1) {
    throw new WharfError('invalid', `invalid filter 'all=[${values.join(' ')}]': only one value is expected`);
  }
  const truth = parseBoolean(values[0] as string);
  if (truth === undefined) {
    const why = `strconv.ParseBool: parsing "${values[0]}": invalid syntax`;
    throw new WharfError('invalid', `invalid filter 'all': ${why}`);
  }
  return truth;
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
