import { createPrivateKey } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { errnoCode, WharfError } from '../base/index.ts';
import { fluentdTarget, gelfTarget, syslogTarget } from './addresses.ts';
import { syslogFacility } from './facilities.ts';
import { parseFlag, parseGoDurationMs } from './option-values.ts';
import { DatagramConnection, type DatagramTarget } from './sinks/datagram-connection.ts';
import { dialFailure } from './sinks/dial-failure.ts';
import { FluentdSink } from './sinks/fluentd.ts';
import { GelfSink } from './sinks/gelf.ts';
import { JOURNAL_SOCKET, JournaldSink } from './sinks/journald.ts';
import { dial, StreamConnection, type StreamTarget } from './sinks/stream-connection.ts';
import { type SyslogFormat, SyslogSink } from './sinks/syslog.ts';
import type { LogSink, LogSource } from './sinks/types.ts';

type Options = Readonly<Record<string, string>>;
type Target = StreamTarget | DatagramTarget;

/** A sink that can be asked whether its server is there. */
export interface ProbedSink extends LogSink {
  probe?(signal: AbortSignal): Promise<void>;
}

/** Where a machine's own syslog listens. */
const LOCAL_SYSLOG = ['/dev/log', '/var/run/syslog', '/var/run/log'];

/** The sink of a remote driver. Nothing is connected yet. Errors: `invalid`, `unavailable` with the reference's text. */
export function openSink(driver: string, options: Options, source: LogSource): ProbedSink {
  switch (driver) {
    case 'syslog':
      return syslogSink(options, source);
    case 'fluentd':
      return fluentdSink(options, source);
    case 'gelf':
      return gelfSink(options, source);
    case 'journald':
      return withProbe(new JournaldSink(source), probeJournal);
    default:
      throw new WharfError('invalid', `${driver} sends nothing`);
  }
}

function withProbe(sink: LogSink, probe: (signal: AbortSignal) => Promise<void>): ProbedSink {
  return Object.assign(sink, { probe });
}

async function probeJournal(): Promise<void> {
  if (!existsSync(JOURNAL_SOCKET))
    throw new WharfError('unavailable', 'journald is not enabled on this host');
}

function isDatagram(target: Target): target is DatagramTarget {
  return target.network === 'udp' || target.network === 'unixgram';
}

function connectionTo(target: Target): StreamConnection | DatagramConnection {
  return isDatagram(target) ? new DatagramConnection(target) : new StreamConnection(target);
}

async function probeTarget(target: Target, signal: AbortSignal): Promise<void> {
  if (!isDatagram(target)) {
    (await dial(target, signal)).destroy();
    return;
  }
  const connection = new DatagramConnection(target);
  try {
    await connection.open(signal);
  } finally {
    connection.drop();
  }
}

function syslogSink(options: Options, source: LogSource): ProbedSink {
  const asked = syslogTarget(options['syslog-address'] ?? '');
  const target: Target = asked === 'local' ? localSyslog() : asked;
  if (target.network === 'tls') Object.assign(target, { tls: tlsFiles(options) });
  const format = (options['syslog-format'] || 'unix') as SyslogFormat;
  const sink = new SyslogSink(connectionTo(target), {
    facility: syslogFacility(options['syslog-facility'] ?? ''),
    format,
    tag: source.tag,
    hostname: hostname(),
    pid: process.pid,
    counted: target.network === 'tls' && format.startsWith('rfc5424'),
  });
  return withProbe(sink, async (signal) => {
    if (asked !== 'local') return probeTarget(target, signal);
    const told = () => new WharfError('unavailable', 'Unix syslog delivery error');
    if (target.path === '') throw told();
    await probeTarget(target, signal).catch(() => Promise.reject(told()));
  });
}

function localSyslog(): Target {
  const path = LOCAL_SYSLOG.find((name) => statSync(name, { throwIfNoEntry: false })?.isSocket()) ?? '';
  return { network: 'unixgram', host: '', port: 0, path };
}

function tlsFiles(options: Options): StreamTarget['tls'] {
  const named = (name: string) => options[`syslog-tls-${name}`];
  const skips = named('skip-verify');
  // As with the reference engine, the word alone counts.
  const verify = skips === undefined;
  const [certFile, keyFile] = [named('cert') ?? '', named('key') ?? ''];
  const ca = readTls(named('ca-cert'), (path, why) => `could not read CA certificate "${path}": ${why}`);
  const own = (path: string) => readTls(path, (_path, why) => `Could not load X509 key pair: ${why}`);
  if (certFile === '' && keyFile === '') return { ca, verify };
  const pair = { cert: own(certFile), key: own(keyFile) };
  checkPair(pair);
  return { ca, verify, ...pair };
}

/** Errors: `unavailable`, before anything is sent, and without a word of what is in the files. */
function checkPair(pair: { cert: Buffer | undefined; key: Buffer | undefined }): void {
  const told = (why: string) => new WharfError('unavailable', `Could not load X509 key pair: ${why}`);
  try {
    createPrivateKey(pair.key ?? '');
  } catch {
    throw told('no valid private key found');
  }
  try {
    createSecureContext({ ...pair } as SecureContextOptions);
  } catch {
    throw told('the certificate is none, or not the one of the key');
  }
}

function readTls(path: string | undefined, text: (path: string, why: string) => string): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (thrown) {
    const why =
      errnoCode(thrown) === 'ENOENT' ? `open ${path}: no such file or directory` : (thrown as Error).message;
    throw new WharfError('unavailable', text(path, why), { cause: thrown });
  }
}

function fluentdSink(options: Options, source: LogSource): ProbedSink {
  const target = fluentdTarget(options['fluentd-address'] ?? '');
  const flag = (name: string) => parseFlag(options[`fluentd-${name}`] || 'false');
  const isAsync = flag('async');
  // As with the reference engine, only who does not wait for the server looks for another one.
  const renewal = isAsync ? parseGoDurationMs(options['fluentd-async-reconnect-interval'] || '0') : 0;
  const connection = new StreamConnection({ ...target, tls: { verify: true } }, renewal || undefined);
  const sink = new FluentdSink(connection, {
    source,
    subSecond: flag('sub-second-precision'),
    requestAck: flag('request-ack'),
    writeTimeout: parseGoDurationMs(options['fluentd-write-timeout'] || '0'),
  });
  if (isAsync) return sink;
  return withProbe(sink, (signal) => probeTarget(target, signal));
}

const FASTEST = 1;

function gelfSink(options: Options, source: LogSource): ProbedSink {
  const target = gelfTarget(options['gelf-address'] ?? '');
  const sink = new GelfSink(connectionTo(target), {
    hostname: hostname(),
    source,
    compression: (options['gelf-compression-type'] || 'gzip') as 'gzip' | 'zlib' | 'none',
    level: Number(options['gelf-compression-level'] || FASTEST),
  });
  return withProbe(sink, async (signal) => {
    try {
      await probeTarget(target, signal);
    } catch (thrown) {
      const { message } = dialFailure(target.network, target, thrown);
      throw new WharfError(
        'unavailable',
        `gelf: cannot connect to GELF endpoint: ${target.host}:${target.port} ${message}`,
      );
    }
  });
}
