import { JsonLog, WharfError } from '../base/index.ts';
import { exitNow } from '../sys/index.ts';
import { checkSettings, checkValues } from './check-settings.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { proxyEnvironment } from './distribution-settings.ts';
import { helpText, type OptionValues, parseFlags } from './flags.ts';
import { wharfVersion } from './package-facts.ts';
import { resolveSettings, type Settings } from './settings.ts';

/** The `wharfd` command: reads flags, starts the daemon, obeys signals. Sets the process's exit code. */
export async function runDaemon(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  let flags: OptionValues & { help?: boolean };
  try {
    flags = parseFlags(args);
  } catch (thrown) {
    return fail(thrown, 125);
  }
  if (flags.help) return print(helpText());
  if (flags.has('version')) return print(`Wharf version ${wharfVersion()}\n`);
  try {
    const proxies = proxyEnvironment(env);
    const settings = resolveSettings(flags, proxies);
    if (flags.has('validate')) {
      checkSettings(settings);
      return print('configuration OK\n');
    }
    checkValues(settings);
    if (process.getuid?.() !== 0) {
      throw new WharfError('forbidden', 'root is needed to run containers: start it with sudo');
    }
    const log = new JsonLog(settings.logLevel, 2);
    const inheritedFds = env['LISTEN_PID'] === String(process.pid) ? Number(env['LISTEN_FDS'] ?? 0) : 0;
    scrubEnvironment(env);
    guardProcess(log);
    const daemon = await startDaemon(settings, { log, inheritedFds });
    obeySignals(daemon, () => resolveSettings(flags, proxies), log);
  } catch (thrown) {
    fail(thrown, 1);
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

function fail(thrown: unknown, code: number): void {
  process.stderr.write(`wharfd: ${WharfError.from(thrown).message}\n`);
  process.exitCode = code;
  // A failed start may have left handles open that would keep the process.
  setImmediate(() => process.exit(code));
}

/** What the daemon was started with must not reach the programs that it starts. */
function scrubEnvironment(env: NodeJS.ProcessEnv): void {
  const kept = new Set(['PATH', 'LANG', 'TZ', 'HOME']);
  for (const name of Object.keys(env)) if (!kept.has(name)) delete env[name];
}

/** A fault in one request must not end the daemon; one that may have broken its state must. */
function guardProcess(log: JsonLog): void {
  process.on('unhandledRejection', (reason) =>
    log.error('a promise was rejected and nobody looked', { error: reason }),
  );
  process.on('uncaughtException', (error) => {
    log.error('uncaught exception: the daemon ends; containers go on', { error });
    exitNow(70);
  });
}

function obeySignals(daemon: Daemon, readSettings: () => Settings, log: JsonLog): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) {
      log.warn('second signal: the daemon ends at once', { signal });
      exitNow(1);
    }
    stopping = true;
    log.info('stopping', { signal });
    daemon.stop().then(
      () => exitNow(0),
      (error) => {
        log.error('stopping failed', { error });
        exitNow(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => {
    try {
      const settings = readSettings();
      checkSettings(settings);
      log.setLevel(settings.logLevel);
      daemon.reload(settings);
      log.info('configuration reloaded', { file: settings.configFile });
    } catch (error) {
      log.error('the configuration was not reloaded; the old one stays', { error });
    }
  });
}
