import { WharfError } from '../base/index.ts';
import { fluentdTarget, gelfTarget, syslogTarget } from './addresses.ts';
import { syslogFacility } from './facilities.ts';
import { LOG_DRIVERS } from './option-names.ts';
import { parseFlag, parseGoDurationMs, parseSize } from './option-values.ts';

type Options = Readonly<Record<string, string>>;

function refusal(text: string): WharfError {
  return new WharfError('invalid', text);
}

/** Whether the options ask for a log that loses lines sooner than it lets anybody wait. */
export function isNonBlocking(options: Options): boolean {
  return options['mode'] === 'non-blocking';
}

const BUFFER = 1024 * 1024;

/** How many bytes may wait for a server in non-blocking mode. */
export function bufferBytes(options: Options): number {
  const text = options['max-buffer-size'];
  return text === undefined ? BUFFER : parseSize(text, 1024);
}

/**
 * Checks what the reference engine checks of a log configuration when a container is created. Errors: `invalid` with
 * its text.
 */
export function checkLogConfig(driver: string, options: Options): void {
  const known = LOG_DRIVERS.get(driver);
  if (!known) throw refusal(`error looking up logging plugin ${driver}: plugin "${driver}" not found`);
  checkMode(options);
  if (driver === 'none') return;
  const cached = options['cache-disabled'];
  if (cached && !isFlag(cached)) throw refusal(`invalid value for option cache-disabled: ${cached}`);
  if (driver === 'gelf' && !options['gelf-address']) throw refusal('gelf-address is a required parameter');
  for (const key of Object.keys(options)) if (!known.has(key)) throw unknown(driver, key);
  CHECKS[driver]?.(options);
}

function unknown(driver: string, key: string): WharfError {
  if (driver === 'gelf') return refusal(`unknown log opt ${JSON.stringify(key)} for gelf log driver`);
  return refusal(
    `unknown log opt '${key}' for ${driver === 'local' ? 'log driver local' : `${driver} log driver`}`,
  );
}

function isFlag(text: string): boolean {
  try {
    parseFlag(text);
    return true;
  } catch {
    return false;
  }
}

function checkMode(options: Options): void {
  const { mode = '', 'max-buffer-size': buffer } = options;
  if (!['', 'blocking', 'non-blocking'].includes(mode))
    throw refusal(`logger: logging mode not supported: ${mode}`);
  if (buffer === undefined) return;
  if (mode !== 'non-blocking') {
    throw refusal("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  }
  try {
    parseSize(buffer, 1024);
  } catch (thrown) {
    throw refusal(`error parsing option max-buffer-size: ${(thrown as Error).message}`);
  }
}

const CHECKS: Readonly<Record<string, (options: Options) => void>> = {
  syslog: checkSyslog,
  fluentd: checkFluentd,
  gelf: checkGelf,
};

function checkSyslog(options: Options): void {
  syslogTarget(options['syslog-address'] ?? '');
  syslogFacility(options['syslog-facility'] ?? '');
  if (!['', 'rfc3164', 'rfc5424', 'rfc5424micro'].includes(options['syslog-format'] ?? '')) {
    throw refusal('Invalid syslog format');
  }
}

const SHORTEST_RECONNECT = 100;
const LONGEST_RECONNECT = 10_000;

function checkFluentd(options: Options): void {
  const given = (name: string, check: (text: string) => unknown) => {
    const text = options[`fluentd-${name}`];
    if (text) check(text);
  };
  given('buffer-limit', (text) => parseSize(text, 1024));
  given('retry-wait', parseGoDurationMs);
  given('max-retries', parseUnsigned);
  given('async', parseFlag);
  given('async-reconnect-interval', (text) => {
    const wrong = (why: string) => refusal(`invalid value for fluentd-async-reconnect-interval: ${why}`);
    const ms = rewording(wrong, () => parseGoDurationMs(text));
    if (ms !== 0 && (ms < SHORTEST_RECONNECT || ms > LONGEST_RECONNECT)) {
      throw wrong(`value (${JSON.stringify(text)}) must be between 100ms and 10s`);
    }
  });
  given('sub-second-precision', parseFlag);
  given('request-ack', parseFlag);
  given('write-timeout', (text) => {
    const wrong = (why: string) => refusal(`invalid value for fluentd-write-timeout: ${why}`);
    const ms = rewording(
      (why) => wrong(`value must be a duration: ${why}`),
      () => parseGoDurationMs(text),
    );
    if (ms < 0) throw wrong('value must be a duration that is non-negative');
  });
  fluentdTarget(options['fluentd-address'] ?? '');
}

function rewording<T>(as: (why: string) => WharfError, parse: () => T): T {
  try {
    return parse();
  } catch (thrown) {
    throw as((thrown as Error).message);
  }
}

function parseUnsigned(text: string): void {
  const wrong = (why: string) => refusal(`strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^\d+$/.test(text)) throw wrong('invalid syntax');
  if (Number(text) > 0xffffffff) throw wrong('value out of range');
}

function checkGelf(options: Options): void {
  const { network } = gelfTarget(options['gelf-address'] ?? '');
  const tcpOnly = ['gelf-tcp-max-reconnect', 'gelf-tcp-reconnect-delay'];
  for (const [key, value] of Object.entries(options)) {
    if (key.startsWith('gelf-compression-')) {
      if (network !== 'udp') throw refusal('compression is only supported on UDP');
      const fits = key.endsWith('type') ? /^(gzip|zlib|none)$/ : /^(-1|\d)$/;
      if (!fits.test(value)) {
        throw refusal(
          `unknown value ${JSON.stringify(value)} for log opt ${JSON.stringify(key)} for gelf log driver`,
        );
      }
    } else if (tcpOnly.includes(key)) {
      if (network !== 'tcp') throw refusal(`${JSON.stringify(key)} is only valid for TCP`);
      if (!/^\+?\d+$/.test(value)) throw refusal(`${JSON.stringify(key)} must be a positive integer`);
    }
  }
}
