import { JsonLog } from '../../../base/index.ts';
import { SETTINGS } from '../../../registryd/types.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { type FlagSpec, flag, type ParsedFlags } from '../../flags.ts';

/** Where the registry keeps its content unless told otherwise. */
export const DEFAULT_ROOT = '/var/lib/wharf-registry';

const FLAG_TYPES = { text: 'string', switch: 'bool', list: 'list' } as const;

/** The settings as flags, each named as in the daemon's option `registry`. */
const SETTING_FLAGS: readonly FlagSpec[] = SETTINGS.map(({ name, kind, help, placeholder, shown }) =>
  flag(name, FLAG_TYPES[kind], help, {
    ...(placeholder !== undefined && { typeName: placeholder }),
    ...(shown !== undefined && { shown }),
  }),
);

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Serve a registry of images',
  flags: [
    flag('debug', 'bool', 'Log more'),
    flag('root', 'string', 'Folder of everything that the registry keeps', {
      default: DEFAULT_ROOT,
      typeName: 'folder',
    }),
    ...SETTING_FLAGS,
  ],
  arity: NO_OPERANDS,
  async run(_context, flags) {
    const { serveRegistry } = await import('../../../registryd/index.ts');
    const log = new JsonLog(flags.bool('debug') ? 'debug' : 'info', 2);
    const end = new AbortController();
    let reload = () => {};
    using _signals = listeners({
      SIGTERM: () => (end.signal.aborted ? process.exit(1) : end.abort()),
      SIGINT: () => (end.signal.aborted ? process.exit(1) : end.abort()),
      SIGHUP: () => reload(),
      unhandledRejection: (error) => log.error('a promise was rejected and nobody looked', { error }),
    });
    const settings = settingsOf(flags);
    await serveRegistry({ root: flags.string('root'), settings, log }, end.signal, (service) => {
      reload = () => service.reload();
    });
    return 0;
  },
};

/** Listens to events of the process until it is disposed. */
function listeners(events: Record<string, (value: unknown) => void>): Disposable {
  for (const [name, listener] of Object.entries(events)) process.on(name, listener);
  return {
    [Symbol.dispose]() {
      for (const [name, listener] of Object.entries(events)) process.off(name, listener);
    },
  };
}

/** What was given, by name and as text. */
function settingsOf(flags: ParsedFlags): Record<string, string> {
  const given = SETTING_FLAGS.filter(({ name }) => flags.changed(name));
  return Object.fromEntries(
    given.map(({ name, type }) => [
      name,
      type === 'list'
        ? flags.list(name).join(',')
        : type === 'bool'
          ? String(flags.bool(name))
          : flags.string(name),
    ]),
  );
}
