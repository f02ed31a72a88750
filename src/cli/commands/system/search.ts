import { filterText, searchImages } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { ellipsis } from '../../human.ts';
import { registryAuth } from '../../registry-auth.ts';
import { filterFlag, filtersOf } from '../../shared-flags.ts';
import { renderListing, row } from '../../table.ts';

const HEADERS = {
  Name: 'NAME',
  Description: 'DESCRIPTION',
  StarCount: 'STARS',
  IsOfficial: 'OFFICIAL',
};

/** The text of Docker's client. */
const AUTOMATED =
  'WARNING: the "is-automated" filter is deprecated, and searching for "is-automated=true" will not yield any results in future.\n';

export const command: CommandSpec = {
  usage: '[OPTIONS] TERM',
  summary: 'Search the registry for images',
  flags: [
    filterFlag(),
    flag('format', 'string', 'Pretty-print search using a Go template'),
    flag('limit', 'int', 'Max number of search results'),
    flag('no-trunc', 'bool', "Don't truncate output"),
  ],
  arity: exactly(1),
  completes: 'remote',
  async run(context, flags) {
    const term = flags.operands[0] ?? '';
    const limit = flags.number('limit');
    const filters = flags.list('filter');
    if (filters.some((filter) => filter.startsWith('is-automated='))) context.warn(AUTOMATED);
    const query = {
      term,
      limit: limit > 0 ? limit : undefined,
      filters: filterText(filtersOf(filters)),
    };
    const found = await searchImages(context.client(), query, await registryAuth(context, term));
    const chosen = flags.string('format');
    const words = chosen === 'json' || chosen === '{{json .}}' ? ['true', 'false'] : ['[OK]', ''];
    const rows = found.map((each) => {
      const text = each.description.replaceAll('\n', ' ').replaceAll('\r', ' ');
      return row({
        Description: () => (flags.bool('no-trunc') ? text : ellipsis(text, 45)),
        IsOfficial: () => words[each.is_official ? 0 : 1] ?? '',
        Name: () => each.name,
        StarCount: () => String(each.star_count),
      });
    });
    const format =
      chosen === '' || chosen === 'table'
        ? 'table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}'
        : chosen;
    context.print(
      await renderListing({ format, typeName: '*registry.searchContext', headers: HEADERS, rows }),
    );
    return 0;
  },
};
