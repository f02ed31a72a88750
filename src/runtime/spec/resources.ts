import type { Resources } from '../../api/index.ts';
import type { HostFacts } from '../spec-input.ts';
import type { OciResources } from '../spec-types.ts';
/** Limits for the kernel (device rules not included), and warnings about those that this host can't keep. Errors: `invalid` for a device that is missing. */
export function resourcesFromHostConfig(
  _limits: Resources,
  _host: HostFacts,
): { resources: OciResources; warnings: string[] } {
  throw new Error('resourcesFromHostConfig');
}
