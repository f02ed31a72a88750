/** Options that each driver but `none` has. */
const COMMON = 'mode max-buffer-size cache-disabled cache-max-size cache-max-file cache-compress';
const PICKED = 'labels labels-regex env env-regex tag';

const FILE = 'max-file max-size compress';
const SYSLOG =
  'syslog-address syslog-facility syslog-format syslog-tls-ca-cert syslog-tls-cert syslog-tls-key syslog-tls-skip-verify';
const FLUENTD =
  'fluentd-address fluentd-async fluentd-async-reconnect-interval fluentd-buffer-limit fluentd-max-retries fluentd-request-ack fluentd-retry-wait fluentd-sub-second-precision fluentd-write-timeout';
const GELF =
  'gelf-address gelf-compression-level gelf-compression-type gelf-tcp-max-reconnect gelf-tcp-reconnect-delay';

function names(...groups: string[]): ReadonlySet<string> {
  return new Set([COMMON, ...groups].join(' ').split(' '));
}

/** The log drivers, with the options that each has. */
export const LOG_DRIVERS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['fluentd', names(PICKED, FLUENTD)],
  ['gelf', names(PICKED, GELF)],
  ['journald', names(PICKED)],
  ['json-file', names(PICKED, FILE)],
  ['local', names(FILE)],
  ['none', names()],
  ['syslog', names(PICKED, SYSLOG)],
]);

/** Whether a driver sends lines to a server. */
export function isRemote(driver: string): boolean {
  return ['fluentd', 'gelf', 'journald', 'syslog'].includes(driver);
}
