import { join } from 'node:path';
import { WharfError } from '../base/index.ts';
import { EngineClient, parseAddress } from '../client/index.ts';
import { type Context, ExitError, type Terminal } from './command.ts';
import { type ClientConfig, readConfig, type StoredContext, storedContexts } from './config.ts';
import { flag, type ParsedFlags } from './flags.ts';
import { contextTls, flagTls } from './tls-files.ts';

/** Where a daemon of this machine listens unless told otherwise. */
const DEFAULT_ADDRESS = 'unix:///run/wharf/wharf.sock';

type Env = Readonly<Record<string, string | undefined>>;

/** The flags that stand before the command; `home` is the folder of the configuration. */
export function globalFlags(home: string) {
  return [
    flag('config', 'string', 'Location of client config files', { default: home }),
    flag(
      'c,context',
      'string',
      'Name of the context to use to connect to the daemon (overrides WHARF_HOST and DOCKER_HOST env vars and the default context set with "wharf context use")',
    ),
    flag('D,debug', 'bool', 'Enable debug mode'),
    flag('H,host', 'list', 'Daemon socket to connect to'),
    flag('l,log-level', 'string', 'Set the logging level ("debug", "info", "warn", "error", "fatal")', {
      default: 'info',
    }),
    flag('tls', 'bool', 'Use TLS; implied by --tlsverify'),
    flag('tlscacert', 'string', 'Trust certs signed only by this CA', { default: join(home, 'ca.pem') }),
    flag('tlscert', 'string', 'Path to TLS certificate file', { default: join(home, 'cert.pem') }),
    flag('tlskey', 'string', 'Path to TLS key file', { default: join(home, 'key.pem') }),
    flag('tlsverify', 'bool', 'Use TLS and verify the remote'),
    flag('v,version', 'bool', 'Print version information and quit'),
  ];
}

/** Folder of the client's configuration. */
export function configHome(env: Env): string {
  return env['DOCKER_CONFIG'] ?? join(env['HOME'] ?? '/', '.docker');
}

/** Builds what a command may use from the environment and the global flags. */
export function createContext(
  terminal: Terminal,
  env: Env,
  globals: ParsedFlags,
  path: string,
): Context & Disposable {
  let config: ClientConfig | undefined;
  let client: EngineClient | undefined;
  const loadConfig = () =>
    (config ??= readConfig(globals.string('config'), (text) => void terminal.stderr.write(text)));
  const choose = (): { name: string; address: string; stored: StoredContext | undefined } => {
    const hosts = globals.list('host');
    if (hosts.length > 1) throw new WharfError('invalid', 'Specify only one -H');
    if (hosts[0] !== undefined) return { name: 'default', address: hosts[0], stored: undefined };
    const host = env['WHARF_HOST'] || env['DOCKER_HOST'];
    const asked = globals.string('context');
    const name =
      asked || (host ? 'default' : env['DOCKER_CONTEXT'] || loadConfig().currentContext || 'default');
    if (name === 'default') return { name, address: host || DEFAULT_ADDRESS, stored: undefined };
    const stored = storedContexts(globals.string('config')).find((each) => each.name === name);
    if (!stored)
      throw new WharfError(
        'not-found',
        `context ${JSON.stringify(name)}: context not found: open ${join(globals.string('config'), 'contexts', 'meta')}: no such file or directory`,
      );
    return { name, address: stored.host, stored };
  };
  const connect = (): EngineClient => {
    try {
      const { address, stored } = choose();
      const tls = stored ? contextTls(stored) : flagTls(env, globals);
      return new EngineClient(parseAddress(address, tls), {
        version: env['DOCKER_API_VERSION']?.replace(/^v/, '') || undefined,
        headers: loadConfig().HttpHeaders ?? {},
      });
    } catch (thrown) {
      throw new ExitError(1, `Failed to initialize: ${WharfError.from(thrown).message}`);
    }
  };
  return {
    // Each is opened when it is first used; to spread them would open them, and run every getter of `process`.
    get stdin() {
      return terminal.stdin;
    },
    get stdout() {
      return terminal.stdout;
    },
    get stderr() {
      return terminal.stderr;
    },
    program: 'wharf',
    path,
    env,
    client: () => (client ??= connect()),
    config: loadConfig,
    contextName: () => choose().name,
    address: () => choose().address,
    now: () => Date.now(),
    print: (text) => void terminal.stdout.write(text),
    warn: (text) => void terminal.stderr.write(text),
    [Symbol.dispose]: () => client?.[Symbol.dispose](),
  };
}
