import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { storedContexts } from '../../config.ts';
import { flag } from '../../flags.ts';
import { listFormat } from '../../shared-flags.ts';
import { renderListing, row } from '../../table.ts';

const HEADERS = {
  Name: 'NAME',
  Description: 'DESCRIPTION',
  DockerEndpoint: 'DOCKER ENDPOINT',
  Error: 'ERROR',
  Current: 'CURRENT',
};

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'List contexts',
  flags: [listFormat(), flag('q,quiet', 'bool', 'Only show context names')],
  arity: NO_OPERANDS,
  async run(context, flags) {
    const current = context.contextName();
    const fallback = {
      name: 'default',
      description: 'Current DOCKER_HOST based configuration',
      host: current === 'default' ? context.address() : '',
    };
    const rows = [fallback, ...storedContexts(context.config().dir)].map((each) => {
      const name =
        each.name === current && !flags.bool('quiet') && flags.string('format') === ''
          ? `${each.name} *`
          : each.name;
      const cells = row({
        Description: () => each.description,
        DockerEndpoint: () => each.host,
        Error: () => '',
        Name: () => name,
      });
      return new Map([...cells, ['Current', () => each.name === current] as const]);
    });
    const chosen = flags.string('format');
    const standard = flags.bool('quiet')
      ? '{{.Name}}'
      : 'table {{.Name}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}';
    context.print(
      await renderListing({
        format: chosen === '' || chosen === 'table' ? standard : chosen,
        typeName: '*formatter.ClientContextContext',
        headers: HEADERS,
        rows,
      }),
    );
    if (context.env['DOCKER_HOST'] && !flags.bool('quiet')) {
      context.warn(
        'Warning: DOCKER_HOST environment variable overrides the active context. To use a context, either set the global --context flag, or unset DOCKER_HOST environment variable.\n',
      );
    }
    return 0;
  },
};
