import { closeEndpoint } from './endpoints.ts';
import type { StackParts } from './parts.ts';
import { heldPorts, targetsOf } from './publishing.ts';
import type { SandboxRecord } from './types.ts';

/** Takes a sandbox apart: ports first, so that nobody is sent to an address that is another's soon; the record last, so that a crash finds it again. */
export function dropSandbox(parts: StackParts, sandbox: SandboxRecord): void {
  parts.names.remove(sandbox.sandboxId);
  const ports = targetsOf(parts, sandbox);
  try {
    if (ports.length > 0) parts.firewall.apply({ remove: { ports } });
  } catch (thrown) {
    // The table may have been flushed by others; its restorer builds it without this sandbox.
    const fields = { sandbox: sandbox.sandboxId, error: thrown };
    parts.log.warn('published ports were not in the nft table', fields);
  }
  parts.ports.release(heldPorts(sandbox.ports));
  parts.namespaces.drop(sandbox.netnsPath);
  for (const endpoint of sandbox.endpoints) closeEndpoint(parts, endpoint);
  parts.sandboxRecords.delete(sandbox.sandboxId);
  parts.sandboxes.delete(sandbox.sandboxId);
  if (parts.byContainer.get(sandbox.containerId)?.sandboxId === sandbox.sandboxId)
    parts.byContainer.delete(sandbox.containerId);
  parts.prepared.warmUp();
  parts.namespaces.warmUp();
}
