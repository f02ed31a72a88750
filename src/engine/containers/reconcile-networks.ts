import { type AttachDeps, attach, detach } from './connect-network.ts';
import { wishedNetworks, wishes } from './endpoints.ts';
import type { ContainerRecord } from './record.ts';
import { renameEndpoints } from './rename.ts';

/**
 * Brings the sandbox of a running container in step with the container's wishes, which are the truth: a daemon may have
 * died between the two. What can't be done is logged, and the container runs on.
 */
export async function reconcileNetworks(deps: AttachDeps, record: ContainerRecord): Promise<void> {
  const sandbox = record.sandboxId ? deps.networks.sandbox(record.sandboxId) : undefined;
  // A container on the host's network has no endpoints to be put right.
  if (!sandbox || record.config.NetworkDisabled || record.hostConfig.NetworkMode === 'host') return;
  if (sandbox.containerName !== record.name) renameEndpoints(deps, record);
  const wished = new Set(Object.keys(wishes(record)));
  const present = new Set(sandbox.endpoints.map(({ networkName }) => networkName));
  for (const { networkId, networkName } of sandbox.endpoints) {
    if (!wished.has(networkName)) await tried(deps, record, networkName, detach(deps, record, networkId));
  }
  for (const name of wishedNetworks(record)) {
    if (!present.has(name)) await tried(deps, record, name, attach(deps, record, { name }));
  }
}

async function tried(
  deps: Pick<AttachDeps, 'log'>,
  record: ContainerRecord,
  network: string,
  work: Promise<void>,
): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    deps.log.warn('container not brought in step with its networks', {
      container: record.id,
      network,
      error: thrown,
    });
  }
}
