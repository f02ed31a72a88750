import { WharfError } from '../../../base/index.ts';
import { CLIENT_API_VERSION, olderVersion, versionText } from '../../../client/index.ts';
import { type CommandSpec, type Context, ExitError, NO_OPERANDS } from '../../command.ts';
import { describeError } from '../../errors.ts';
import { safeCell } from '../../sanitize.ts';
import { documentFormat } from '../../shared-flags.ts';
import { alignColumns } from '../../table.ts';
import { VERSION } from '../../version.ts';

interface Component {
  Name: string;
  Version: string;
  Details?: Record<string, string> | null;
}

/** The engine's answer, as far as it is shown. */
export interface ServerVersion {
  Platform?: { Name: string };
  Components?: Component[] | null;
  ApiVersion: string;
}

/** What this client says of itself. */
export function clientVersion(context: Context, server: ServerVersion | undefined) {
  return {
    Version: VERSION,
    ApiVersion:
      context.env['DOCKER_API_VERSION'] ||
      (server ? olderVersion(server.ApiVersion, CLIENT_API_VERSION) : CLIENT_API_VERSION),
    DefaultAPIVersion: CLIENT_API_VERSION,
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    BuildTime: '',
    Context: context.contextName(),
  };
}

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Show the version information',
  flags: [documentFormat()],
  arity: NO_OPERANDS,
  async run(context, flags) {
    const format = flags.string('format');
    let server: ServerVersion | undefined;
    let failure: string | undefined;
    let text = 'null';
    const render =
      format === ''
        ? undefined
        : (await import('../../render-document.ts')).documentRenderer(
            format,
            'version',
            'system.versionInfo',
          );
    try {
      text = await versionText(context.client());
      server = JSON.parse(text) as ServerVersion;
    } catch (thrown) {
      if (thrown instanceof ExitError) throw thrown;
      failure = describeError(WharfError.from(thrown));
    }
    const client = clientVersion(context, server);
    if (render) context.print(`${render(`{"Client":${JSON.stringify(client)},"Server":${text}}`)}\n`);
    else context.print(clientText(client) + (server ? serverText(server) : ''));
    if (failure === undefined) return 0;
    throw new ExitError(1, failure);
  },
};

function clientText(client: ReturnType<typeof clientVersion>): string {
  const lines = [
    ['Version:', client.Version],
    [
      'API version:',
      client.ApiVersion +
        (client.ApiVersion === client.DefaultAPIVersion
          ? ''
          : ` (downgraded from ${client.DefaultAPIVersion})`),
    ],
    ['Runtime:', `node ${process.version}`],
    ['OS/Arch:', `${client.Os}/${client.Arch}`],
    ['Context:', client.Context],
  ];
  return `Client: Wharf\n${alignColumns(lines.map(([name, value]) => ` ${name}\t${value}\n`).join(''), 20, 1)}`;
}

const NAMES: Readonly<Record<string, string>> = {
  ApiVersion: 'API version',
  GoVersion: 'Go version',
  GitCommit: 'Git commit',
  BuildTime: 'Built',
  Experimental: 'Experimental',
};

function serverText(server: ServerVersion): string {
  const lines = (server.Components ?? []).flatMap((component) => {
    const details = component.Details ?? {};
    const head = [` ${component.Name}:`, `  Version:\t${component.Version}`];
    if (component.Name !== 'Engine')
      return [
        ...head,
        ...Object.keys(details)
          .sort()
          .map((name) => `  ${name}:\t${details[name]}`),
      ];
    const api = `${details['ApiVersion']} (minimum version ${details['MinAPIVersion']})`;
    const shown = ['GoVersion', 'GitCommit', 'BuildTime'].filter((name) => details[name] !== undefined);
    return [
      ...head,
      `  API version:\t${api}`,
      ...shown.map((name) => `  ${NAMES[name]}:\t${builtText(name, details[name] ?? '')}`),
      `  OS/Arch:\t${details['Os']}/${details['Arch']}`,
      `  Experimental:\t${details['Experimental']}`,
    ];
  });
  const title = server.Platform?.Name ? `Server: ${server.Platform.Name}` : 'Server:';
  const body = lines.map((line) => `${line.split('\t').map(safeCell).join('\t')}\n`).join('');
  return `\n${safeCell(title)}\n${alignColumns(body, 20, 1)}`;
}

/** The time of the build as `ctime` writes it. */
function builtText(name: string, value: string): string {
  const date = new Date(value);
  if (name !== 'BuildTime' || Number.isNaN(date.getTime()) || !/^\d{4}-/.test(value)) return value;
  const [day, month, date2, year, time] = date.toString().split(' ');
  return `${day} ${month} ${String(Number(date2)).padStart(2, ' ')} ${time} ${year}`;
}
