import type { ContainerConfig, HealthConfig } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { ExecutionConfig } from '../../oci/types.ts';

/** Completes a request's config (in place) by the image's: what the request says wins, as in Docker. */
export function mergeImageConfig(config: ContainerConfig, image: ExecutionConfig): void {
  config.User ||= image.User ?? '';
  config.WorkingDir ||= image.WorkingDir ?? '';
  if (!config.StopSignal && image.StopSignal) config.StopSignal = image.StopSignal;
  const ports = { ...image.ExposedPorts, ...config.ExposedPorts };
  if (Object.keys(ports).length) config.ExposedPorts = ports as Record<string, Record<string, unknown>>;
  else delete config.ExposedPorts;
  const volumes = { ...image.Volumes, ...config.Volumes };
  if (Object.keys(volumes).length) config.Volumes = volumes as Record<string, Record<string, unknown>>;
  else delete config.Volumes;
  config.Labels = { ...image.Labels, ...config.Labels };
  config.Env = mergeEnv(config.Env ?? [], image.Env ?? []);
  mergeCommand(config, image);
  const health = mergeHealth(config.Healthcheck, image.Healthcheck);
  if (health) config.Healthcheck = health;
}

/** The request's variables first, then the image's that it does not name. An image's entry without `=` is none (it would name the daemon's own). */
function mergeEnv(asked: string[], image: string[]): string[] {
  const named = new Set(asked.map((variable) => variable.split('=', 1)[0]));
  return [...asked, ...image.filter((entry) => entry.indexOf('=') > 0 && !named.has(entry.split('=', 1)[0]))];
}

function mergeCommand(config: ContainerConfig, image: ExecutionConfig): void {
  if (config.Entrypoint && config.Entrypoint.length > 0) return;
  if (!config.Cmd || config.Cmd.length === 0) {
    if (image.Cmd) config.Cmd = [...image.Cmd];
    if (image.ArgsEscaped) config.ArgsEscaped = true;
  }
  // An empty list (as opposed to none) takes the image's entrypoint away.
  if (!config.Entrypoint && image.Entrypoint) config.Entrypoint = [...image.Entrypoint];
}

function mergeHealth(
  asked: HealthConfig | undefined,
  image: HealthConfig | undefined,
): HealthConfig | undefined {
  if (!asked || !image) return asked ?? (image && { ...image });
  const merged: HealthConfig = { ...asked };
  if (!asked.Test?.length && image.Test) merged.Test = [...image.Test];
  for (const field of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'] as const) {
    const value = image[field];
    if (!asked[field] && value) merged[field] = value;
  }
  return merged;
}

/** Program and arguments of the merged config. Errors: `invalid` "no command specified". */
export function resolveCommand(config: ContainerConfig): { path: string; args: string[] } {
  // One empty word is the command line's way to say "no entrypoint".
  if (config.Entrypoint?.length === 1 && config.Entrypoint[0] === '') delete config.Entrypoint;
  const [path, ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (path === undefined) throw new WharfError('invalid', 'no command specified');
  return { path, args };
}
