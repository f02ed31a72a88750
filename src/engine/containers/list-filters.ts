import type { Filters } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { NetworkStack, SandboxRecord } from '../../network/types.ts';
import { booleanFilter, checkFilterKeys, matchLabels, matchPattern } from '../filters/index.ts';
import { compareTimes } from './container-store.ts';
import type { ImageLookup } from './deps.ts';
import { parsePortRange } from './ports.ts';
import type { ContainerRecord } from './record.ts';
import { countsAsRunning } from './status-text.ts';
import type { ContainerStore } from './store.ts';

export interface ListFilterDeps {
  store: Pick<ContainerStore, 'resolve'>;
  images: ImageLookup;
  networks: Pick<NetworkStack, 'sandbox'>;
}

type Predicate = (record: ContainerRecord) => boolean;

const STATUSES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const HEALTHS = ['none', 'starting', 'healthy', 'unhealthy'];
const KEYS = new Set(
  'ancestor before exited expose health id is-task isolation label label! name network publish since status volume'.split(
    ' ',
  ),
);

/**
 * All filters of a list as one test; what they name (containers, images) is looked up once, here.
 * Errors: `invalid` filter or value, `not-found` container of `before` and `since`; texts are Docker's.
 */
export function listPredicate(deps: ListFilterDeps, filters: Filters): Predicate {
  checkFilterKeys(filters, KEYS);
  const predicates = [
    byPattern(filters),
    byStatus(filters),
    byExitCode(filters),
    byHealth(filters),
    byTask(filters),
    byAge(deps, filters),
    byAncestor(deps, filters),
    byVolume(filters),
    byNetwork(filters),
    byPort(deps, filters, 'publish'),
    byPort(deps, filters, 'expose'),
  ].filter((predicate) => predicate !== undefined);
  return (record) => predicates.every((predicate) => predicate(record));
}

function values(filters: Filters, key: string): readonly string[] | undefined {
  const found = filters.get(key);
  return found && found.length > 0 ? found : undefined;
}

function byPattern(filters: Filters): Predicate | undefined {
  const keys = ['id', 'name', 'label', 'label!'].filter((key) => values(filters, key));
  if (keys.length === 0) return undefined;
  return (record) =>
    matchPattern(filters, 'id', [record.id]) &&
    matchPattern(filters, 'name', [record.name, `/${record.name}`]) &&
    matchLabels(filters, record.config.Labels ?? {});
}

function byStatus(filters: Filters): Predicate | undefined {
  const wanted = values(filters, 'status');
  for (const status of wanted ?? []) {
    if (STATUSES.includes(status)) continue;
    throw new WharfError(
      'invalid',
      `invalid filter 'status=${status}': invalid value for state (${status}): must be one of ${STATUSES.join(', ')}`,
    );
  }
  return wanted && ((record) => wanted.includes(record.state.status));
}

function byExitCode(filters: Filters): Predicate | undefined {
  const wanted = values(filters, 'exited')?.map((text) => {
    if (/^[+-]?\d+$/.test(text)) return Number(text);
    throw new WharfError(
      'invalid',
      `invalid filter 'exited=${text}': strconv.Atoi: parsing "${text}": invalid syntax`,
    );
  });
  if (!wanted) return undefined;
  return (record) =>
    !countsAsRunning(record) && record.state.hasStarted && wanted.includes(record.state.exitCode);
}

function byHealth(filters: Filters): Predicate | undefined {
  const wanted = values(filters, 'health');
  for (const health of wanted ?? []) {
    if (HEALTHS.includes(health)) continue;
    throw new WharfError(
      'invalid',
      `invalid filter 'health=${health}': invalid value for health (${health}): must be one of ${HEALTHS.join(', ')}`,
    );
  }
  return wanted && ((record) => wanted.includes(record.state.health?.Status || 'none'));
}

/** No container of this engine is a swarm task. */
function byTask(filters: Filters): Predicate | undefined {
  const wanted = booleanFilter(filters, 'is-task');
  return wanted ? () => false : undefined;
}

function byAge(deps: ListFilterDeps, filters: Filters): Predicate | undefined {
  const before = values(filters, 'before')?.map((ref) => deps.store.resolve(ref));
  const since = values(filters, 'since')?.map((ref) => deps.store.resolve(ref));
  if (!before && !since) return undefined;
  return (record) =>
    (before ?? []).every((mark) => compareTimes(record.created, mark.created) < 0) &&
    (since ?? []).every((mark) => compareTimes(record.created, mark.created) > 0);
}

/** An image is an ancestor when its layers are the first ones of the container's image. */
function byAncestor(deps: ListFilterDeps, filters: Filters): Predicate | undefined {
  const wanted = values(filters, 'ancestor');
  if (!wanted) return undefined;
  const ancestors = wanted
    .map((ref) => resolveOrNone(deps.images, ref))
    .filter((image) => image !== undefined);
  const layersOf = new Map<string, readonly string[]>();
  const layers = (imageId: string) => {
    let found = layersOf.get(imageId);
    if (!found) {
      found = resolveOrNone(deps.images, imageId)?.config.rootfs.diff_ids ?? [];
      layersOf.set(imageId, found);
    }
    return found;
  };
  return (record) =>
    ancestors.some((image) => {
      if (image.imageId === record.imageId) return true;
      const own = image.config.rootfs.diff_ids;
      const all = layers(record.imageId);
      return own.length > 0 && own.length < all.length && own.every((diff, index) => diff === all[index]);
    });
}

function resolveOrNone(images: ImageLookup, ref: string) {
  try {
    return images.resolve(ref);
  } catch {
    return undefined;
  }
}

function byVolume(filters: Filters): Predicate | undefined {
  const wanted = values(filters, 'volume');
  if (!wanted) return undefined;
  return (record) =>
    record.mounts.some(
      (mount) =>
        (mount.Destination !== undefined && wanted.includes(mount.Destination)) ||
        (mount.Type === 'volume' && mount.Name !== undefined && wanted.includes(mount.Name)) ||
        (mount.Type === 'bind' && mount.Source !== undefined && wanted.includes(mount.Source)),
    );
}

/** By name, or by the beginning of the id of a network that the container has been on. */
function byNetwork(filters: Filters): Predicate | undefined {
  const wanted = values(filters, 'network');
  if (!wanted) return undefined;
  return ({ networkingConfig }) =>
    Object.entries(networkingConfig.EndpointsConfig ?? {}).some(([name, { NetworkID = '' }]) =>
      wanted.some((value) => name === value || (NetworkID !== '' && NetworkID.startsWith(value))),
    );
}

function byPort(deps: ListFilterDeps, filters: Filters, key: 'publish' | 'expose'): Predicate | undefined {
  const wanted = values(filters, key)?.map((text) => parsePortFilter(key, text));
  if (!wanted) return undefined;
  const fits = (port: number, protocol: string) =>
    wanted.some((range) => port >= range.first && port <= range.last && protocol === range.protocol);
  return (record) => {
    if (key === 'expose') {
      const exposed = Object.keys(record.config.ExposedPorts ?? {});
      return exposed.some((name) => fits(Number.parseInt(name, 10), name.split('/')[1] ?? 'tcp'));
    }
    const sandbox: SandboxRecord | undefined = record.sandboxId
      ? deps.networks.sandbox(record.sandboxId)
      : undefined;
    const asked = Object.entries(record.hostConfig.PortBindings ?? {});
    return (
      (sandbox?.ports ?? []).some(
        (port) => fits(port.hostPort, port.protocol) || fits(port.containerPort, port.protocol),
      ) || asked.some(([name]) => fits(Number.parseInt(name, 10), name.split('/')[1] ?? 'tcp'))
    );
  };
}

function parsePortFilter(key: string, text: string): { first: number; last: number; protocol: string } {
  const [numbers = '', protocol = 'tcp'] = text.split('/');
  const range = numbers === '' ? undefined : parsePortRange(numbers);
  if (range) return { ...range, protocol };
  // The reference answers 500 here.
  throw new WharfError('internal', `error while looking up for ${key} ${text}: ${portFault(numbers)}`);
}

/** Go's words for what can't be read as a port or a range of ports. */
function portFault(numbers: string): string {
  if (numbers === '') return 'Empty string specified for ports.';
  for (const part of numbers.split('-', 2)) {
    if (!/^\d+$/.test(part)) return `strconv.ParseUint: parsing "${part}": invalid syntax`;
    if (Number(part) > 65_535) return `strconv.ParseUint: parsing "${part}": value out of range`;
  }
  return `Invalid range specified for the Port: ${numbers}`;
}
