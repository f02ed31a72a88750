import type { IPAMConfig, Network } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { NetworkRecord } from '../../network/types.ts';
import {
  attach,
  type ContainerRecord,
  contains,
  detach,
  publishNetworkEvent,
  wishes,
} from '../containers/index.ts';
import { poolRequest } from './create.ts';
import type { NetworkDeps } from './deps.ts';
import { inspectNetwork } from './inspect.ts';
import { usersOf } from './remove.ts';

/**
 * Gives a network other subnets, chosen anew where `config` is empty. Containers that run on it leave it for that moment
 * and come back under their names; a daemon that dies in between has recovery put them back. Errors: `conflict` when a
 * container asks for an address that would not be there, before anything changes; those of `NetworkStack.renumber`, with
 * the containers back on the network as it was.
 */
export async function renumberNetwork(
  deps: NetworkDeps,
  ref: string,
  config: IPAMConfig[] | undefined,
): Promise<Network> {
  const network = deps.networks.get(ref);
  refuseFixedAddresses(deps, network, config ?? []);
  await withLocks(deps, usersOf(deps, network.id).sort(), async (locked) => {
    const users = new Set(usersOf(deps, network.id));
    // One may have left, or ended, before it was locked.
    const records = locked.filter(({ id, sandboxId }) => sandboxId !== undefined && users.has(id));
    const moved: ContainerRecord[] = [];
    try {
      for (const record of records) {
        await detach(deps, record, network.id);
        moved.push(record);
        publishNetworkEvent(deps.events, 'disconnect', network, record.id);
      }
      await deps.networks.renumber(network.id, config?.length ? config.map(poolRequest) : undefined);
    } finally {
      await comeBack(deps, network, moved);
    }
  });
  return inspectNetwork(deps, { ref: network.id });
}

/** Addresses that containers ask for, also stopped ones, must be there afterwards. */
function refuseFixedAddresses(deps: NetworkDeps, network: NetworkRecord, config: IPAMConfig[]): void {
  const subnets = config.flatMap(({ Subnet }) => (Subnet ? [Subnet] : []));
  for (const record of deps.store.all()) {
    const { IPv4Address, IPv6Address } = wishes(record)[network.name]?.IPAMConfig ?? {};
    for (const address of [IPv4Address, IPv6Address]) {
      if (!address || subnets.some((subnet) => contains(subnet, address))) continue;
      const where = subnets.length > 0 ? `${subnets.join(', ')} does not hold it` : 'no subnet was given';
      throw new WharfError(
        'conflict',
        `cannot renumber network ${network.name}: container ${record.name} asks for the address ${address}, and ${where}. ` +
          `Disconnect the container first (wharf network disconnect -f ${network.name} ${record.name}), or give a subnet that holds its address`,
      );
    }
  }
}

/** Holds the locks of containers, taken in one order so that two such calls can't wait for each other. Those removed meanwhile are left out. */
async function withLocks(
  deps: Pick<NetworkDeps, 'store'>,
  ids: readonly string[],
  work: (records: ContainerRecord[]) => Promise<void>,
  held: ContainerRecord[] = [],
): Promise<void> {
  const [id, ...rest] = ids;
  if (id === undefined) return work(held);
  if (!deps.store.get(id)) return withLocks(deps, rest, work, held);
  await deps.store.withLock(id, (record) => withLocks(deps, rest, work, [...held, record]));
}

/** Each comes back, though another can't: the first failure is told when all were tried. */
async function comeBack(
  deps: NetworkDeps,
  network: NetworkRecord,
  records: readonly ContainerRecord[],
): Promise<void> {
  const failures: unknown[] = [];
  for (const record of records) {
    try {
      await attach(deps, record, network);
      deps.store.save(record);
      publishNetworkEvent(deps.events, 'connect', network, record.id);
    } catch (thrown) {
      deps.log.error('container not back on its network', { container: record.id, error: thrown });
      failures.push(thrown);
    }
  }
  if (failures.length > 0) throw failures[0];
}
