import { WharfError } from '../../../base/index.ts';
import { infoText } from '../../../client/index.ts';
import { type CommandSpec, type Context, ExitError, NO_OPERANDS } from '../../command.ts';
import { describeError } from '../../errors.ts';
import { infoLines, type ServerInfo } from '../../info-text.ts';
import { documentRenderer } from '../../render-document.ts';
import { safeCell } from '../../sanitize.ts';
import { documentFormat } from '../../shared-flags.ts';
import { clientVersion } from './version.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Display system-wide information',
  flags: [documentFormat()],
  arity: NO_OPERANDS,
  async run(context, flags) {
    const format = flags.string('format');
    const render = format === '' ? undefined : documentRenderer(format, '', 'system.dockerInfo');
    let text = '{}';
    let failure: string | undefined;
    try {
      text = (await infoText(context.client())).trim();
    } catch (thrown) {
      if (thrown instanceof ExitError) throw thrown;
      failure = describeError(WharfError.from(thrown));
    }
    if (render) context.print(`${render(withClient(context, text))}\n`);
    else show(context, failure === undefined ? (JSON.parse(text) as ServerInfo) : undefined, failure);
    return failure === undefined ? 0 : 1;
  },
};

function withClient(context: Context, text: string): string {
  const { ApiVersion: _unused, ...client } = clientVersion(context, undefined);
  const info = JSON.stringify({ Debug: false, ...client, Plugins: [], Warnings: null });
  return text === '{}' ? `{"ClientInfo":${info}}` : `${text.slice(0, -1)},"ClientInfo":${info}}`;
}

function show(context: Context, info: ServerInfo | undefined, failure: string | undefined): void {
  const client = clientVersion(context, undefined);
  context.print(
    `Client: Wharf\n Version:    ${client.Version}\n Context:    ${client.Context}\n Debug Mode: false\n\nServer:\n`,
  );
  if (!info) {
    context.warn(`${failure ?? ''}\nerrors pretty printing info\n`);
    return;
  }
  context.print(
    infoLines(info)
      .map((line) => `${safeCell(line)}\n`)
      .join(''),
  );
  context.print('\n');
  for (const warning of info.Warnings ?? []) context.warn(`${safeCell(warning)}\n`);
}
