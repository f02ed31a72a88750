import { filterText, listContainers } from '../../../client/index.ts';
import { type CommandSpec, ExitError, NO_OPERANDS } from '../../command.ts';
import { flag } from '../../flags.ts';
import { CONTAINER_HEADERS, containerRow } from '../../rows.ts';
import { filterFlag, filtersOf, listFormat } from '../../shared-flags.ts';
import { renderListing } from '../../table.ts';

const TYPE = '*formatter.ContainerContext';
const TABLE = 'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'List containers',
  flags: [
    flag('a,all', 'bool', 'Show all containers (default shows just running)'),
    filterFlag(),
    listFormat(),
    flag('n,last', 'int', 'Show n last created containers (includes all states)', { default: -1 }),
    flag('l,latest', 'bool', 'Show the latest created container (includes all states)'),
    flag('no-trunc', 'bool', "Don't truncate output"),
    flag('q,quiet', 'bool', 'Only display container IDs'),
    flag('s,size', 'bool', 'Display total file sizes'),
  ],
  arity: NO_OPERANDS,
  async run(context, flags) {
    const quiet = flags.bool('quiet');
    const chosen = flags.string('format') || (quiet ? '' : (context.config().psFormat ?? ''));
    const size = flags.bool('size') || (await probe(chosen));
    const last = flags.bool('latest') && flags.number('last') === -1 ? 1 : flags.number('last');
    const rows = await listContainers(context.client(), {
      all: flags.bool('all'),
      limit: last > 0 ? last : undefined,
      size,
      filters: filterText(filtersOf(flags.list('filter'))),
    });
    const full = flags.bool('no-trunc');
    const plain = chosen === '' || chosen === 'table';
    const standard = flags.bool('size') ? `${TABLE}\t{{.Size}}` : TABLE;
    const listing = {
      typeName: TYPE,
      headers: CONTAINER_HEADERS,
      rows: rows.map((item) => containerRow(item, context.now(), full)),
    };
    if (chosen === 'raw')
      context.print(await renderListing({ ...listing, format: quiet ? 'container_id: {{.ID}}' : raw(size) }));
    else
      context.print(
        await renderListing({ ...listing, format: plain ? (quiet ? '{{.ID}}' : standard) : chosen }),
      );
    return 0;
  },
};

function raw(size: boolean): string {
  const lines = [
    'container_id: {{.ID}}',
    'image: {{.Image}}',
    'command: {{.Command}}',
    'created_at: {{.CreatedAt}}',
    'state: {{- pad .State 1 0}}',
    'status: {{- pad .Status 1 0}}',
    'names: {{.Names}}',
    'labels: {{- pad .Labels 1 0}}',
    'ports: {{- pad .Ports 1 0}}',
  ];
  return `${lines.join('\n')}\n${size ? 'size: {{.Size}}\n' : ''}`;
}

/** Whether a template asks for sizes, which are dear; it is tried on an empty row, so that its errors show early. */
async function probe(format: string): Promise<boolean> {
  if (format === '' || format === 'table' || format === 'raw' || format === 'json') return false;
  const { compileTemplate, isTemplateError, Methods } = await import('../../template/index.ts');
  let asked = false;
  const members = new Map<string, (...args: never[]) => string>();
  for (const name of Object.keys(CONTAINER_HEADERS)) members.set(name, () => '');
  members.set('Size', () => {
    asked = true;
    return '';
  });
  members.set('Label', ((_name: unknown) => '') as (...args: never[]) => string);
  try {
    compileTemplate(format).apply(new Methods(TYPE, members as ReadonlyMap<string, () => string>));
  } catch (thrown) {
    if (!isTemplateError(thrown)) throw thrown;
    throw new ExitError(1, `failed to ${thrown.stage} template: ${thrown.describe()}`);
  }
  return asked;
}
