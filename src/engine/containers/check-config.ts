import type { ContainerConfig, HealthConfig } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { signalNumber } from '../../sys/index.ts';

const NANOS_A_MILLI = 1_000_000;

function refuse(message: string): never {
  throw new WharfError('invalid', message);
}

/** Checks the parts of `Config` that stand alone. Texts are Docker's. Errors: `invalid`. */
export function checkConfig(config: ContainerConfig): void {
  if (config.WorkingDir && !config.WorkingDir.startsWith('/')) {
    refuse(`the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`);
  }
  if (config.StopSignal && signalNumber(config.StopSignal) === undefined) {
    refuse(`invalid signal: ${config.StopSignal}`);
  }
  for (const variable of config.Env ?? []) {
    if (variable === '' || variable.startsWith('=')) refuse(`invalid environment variable: ${variable}`);
    if (variable.includes('\0')) refuse('invalid environment variable: it contains a NUL character');
  }
  checkHealth(config.Healthcheck);
  for (const [field, words] of [
    ['Cmd', config.Cmd],
    ['Entrypoint', config.Entrypoint],
  ] as const) {
    if (words?.some((word) => word.includes('\0'))) refuse(`invalid ${field}: it contains a NUL character`);
  }
}

function checkHealth(health: HealthConfig | undefined): void {
  if (!health) return;
  for (const field of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    const value = health[field] ?? 0;
    if (value !== 0 && value < NANOS_A_MILLI) refuse(`${field} in Healthcheck cannot be less than 1ms`);
  }
  if ((health.Retries ?? 0) < 0) refuse('Retries in Healthcheck cannot be negative');
}
