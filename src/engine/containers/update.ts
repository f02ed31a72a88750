import type { HostConfig, Resources, RestartPolicy } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { OciResources } from '../../runtime/spec-types.ts';
import type { Task } from '../../runtime/types.ts';
import type { EventBus } from '../events/types.ts';
import { checkRestartPolicy } from './check-host-config.ts';
import { checkResources } from './check-resources.ts';
import { publishContainerEvent } from './container-events.ts';
import type { HostAbilities } from './deps.ts';
import type { ContainerRecord } from './record.ts';
import { withoutNulls } from './request-defaults.ts';
import type { ContainerStore } from './store.ts';

export interface UpdateDeps {
  store: ContainerStore;
  events: EventBus;
  host: HostAbilities;
  live: { task(id: string): Pick<Task, 'update'> | undefined };
  /** Limits in the runtime's form (`resourcesFromHostConfig` for this host). */
  resources(limits: Resources): { resources: OciResources; warnings: string[] };
}

/** Fields that an update may change. */
const UPDATABLE = [
  'BlkioWeight',
  'CpuShares',
  'NanoCpus',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpusetCpus',
  'CpusetMems',
  'Memory',
  'MemorySwap',
  'MemoryReservation',
  'PidsLimit',
] as const;

/** Fields of the request that are limits and yet fixed for a container's life. */
const FIXED = [
  'BlkioWeightDevice',
  'BlkioDeviceReadBps',
  'BlkioDeviceWriteBps',
  'BlkioDeviceReadIOps',
  'BlkioDeviceWriteIOps',
  'CgroupParent',
  'Devices',
  'DeviceCgroupRules',
  'DeviceRequests',
  'MemorySwappiness',
  'Ulimits',
] as const;

/**
 * Changes limits and restart policy of a container, of its process first when it runs, then durably. What the request
 * leaves zero or out stays. Errors: `not-found`, `invalid` values, `conflict` ("Cannot update container ID: …").
 */
export async function updateContainer(
  deps: UpdateDeps,
  ref: string,
  change: Resources & { RestartPolicy?: RestartPolicy },
): Promise<{ warnings: string[] }> {
  const asked = withoutNulls(change);
  checkRestartPolicy(asked.RestartPolicy, false);
  const warnings = checkResources(asked, deps.host, true);
  const fixed = FIXED.filter((field) => isSet(asked[field]));
  if (fixed.length > 0)
    warnings.push(`${fixed.join(', ')} can't be changed by an update and stay as they are.`);
  await deps.store.withLock(ref, async (record) => {
    try {
      await apply(deps, record, asked);
    } catch (thrown) {
      const reason = WharfError.from(thrown);
      const kind = reason.kind === 'internal' ? 'internal' : 'conflict';
      throw new WharfError(kind, `Cannot update container ${record.id}: ${reason.message}`, {
        cause: thrown,
      });
    }
    publishContainerEvent(deps.events, record, 'update');
  });
  return { warnings };
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === 0 || value === '' || value === -1) return false;
  return !Array.isArray(value) || value.length > 0;
}

async function apply(
  deps: UpdateDeps,
  record: ContainerRecord,
  asked: Resources & { RestartPolicy?: RestartPolicy },
): Promise<void> {
  if (record.state.status === 'removing' || record.state.status === 'dead') {
    throw new WharfError('conflict', 'Container is marked for removal and cannot be "update".');
  }
  const next = nextHostConfig(record.hostConfig, asked);
  const changed = UPDATABLE.some((field) => next[field] !== record.hostConfig[field]);
  const task = changed ? deps.live.task(record.id) : undefined;
  if (task) await task.update(limitsOf(deps, next));
  const before = record.hostConfig;
  record.hostConfig = next;
  try {
    deps.store.save(record);
  } catch (thrown) {
    record.hostConfig = before;
    if (task) await task.update(limitsOf(deps, before));
    throw thrown;
  }
}

/** Limits for a running process: one on processes that is lifted must be said (-1), since what is left out stays. */
function limitsOf(deps: Pick<UpdateDeps, 'resources'>, hostConfig: HostConfig): OciResources {
  const { PidsLimit } = hostConfig;
  return deps.resources(PidsLimit === 0 ? { ...hostConfig, PidsLimit: -1 } : hostConfig).resources;
}

/** The HostConfig after the change. Errors: `conflict` between new and old values, with Docker's texts. */
function nextHostConfig(
  current: HostConfig,
  asked: Resources & { RestartPolicy?: RestartPolicy },
): HostConfig {
  const conflict = (message: string): never => {
    throw new WharfError('conflict', message);
  };
  if (asked.RestartPolicy?.Name && current.AutoRemove && asked.RestartPolicy.Name !== 'no') {
    conflict('Restart policy cannot be updated because AutoRemove is enabled for the container');
  }
  if (asked.NanoCpus && (current.CpuPeriod || current.CpuQuota)) {
    conflict(
      `Conflicting options: Nano CPUs cannot be updated as CPU ${current.CpuPeriod ? 'Period' : 'Quota'} has already been set`,
    );
  }
  if (current.NanoCpus && asked.CpuPeriod) {
    conflict('Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set');
  }
  if (current.NanoCpus && asked.CpuQuota) {
    conflict('Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set');
  }
  const swap = current.MemorySwap ?? 0;
  // As in the reference, a swap without limit (-1) is not above any memory limit either.
  if (asked.Memory && asked.Memory > swap && !asked.MemorySwap) {
    conflict(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
  }
  const next: HostConfig = { ...current };
  for (const field of UPDATABLE) {
    const value = asked[field];
    if (value !== undefined && value !== null && value !== 0 && value !== '')
      Object.assign(next, { [field]: value });
  }
  // -1 and 0 lift the limit on processes; 0 of other limits means "as before".
  if (asked.PidsLimit !== undefined && (asked.PidsLimit ?? 0) <= 0) next.PidsLimit = 0;
  if (asked.RestartPolicy?.Name) {
    next.RestartPolicy = {
      Name: asked.RestartPolicy.Name,
      MaximumRetryCount: asked.RestartPolicy.MaximumRetryCount ?? 0,
    };
  }
  return next;
}
