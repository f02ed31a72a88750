import type { HostConfig } from '../../api/index.ts';

const MASKED = [
  ...['/proc/asound', '/proc/acpi', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats'],
  ...['/proc/timer_list', '/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware'],
  '/sys/devices/virtual/powercap',
];

const READONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** Whether `systempaths=unconfined` was asked for. */
function unconfined(hostConfig: HostConfig): boolean {
  return (hostConfig.SecurityOpt ?? []).some((option) => /^systempaths[=:]unconfined$/.test(option));
}

/** Paths that show nothing in the container. `thermalCpus`: processors with a thermal_throttle directory. */
export function maskedPaths(hostConfig: HostConfig, thermalCpus: readonly number[]): string[] {
  if (hostConfig.Privileged || unconfined(hostConfig)) return [];
  if (hostConfig.MaskedPaths) return hostConfig.MaskedPaths;
  return [...MASKED, ...thermalCpus.map((cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`)];
}

/** Paths that can't be written in the container. */
export function readonlyPaths(hostConfig: HostConfig): string[] {
  if (hostConfig.Privileged || unconfined(hostConfig)) return [];
  return hostConfig.ReadonlyPaths ?? READONLY;
}
