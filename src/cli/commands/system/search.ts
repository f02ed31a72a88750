import { filterText, searchImages } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { ellipsis } from '../../human.ts';
import { filterFlag, filtersOf } from '../../shared-flags.ts';
import { renderListing, row } from '../../table.ts';

const HEADERS = {
  Name: 'NAME',
  Description: 'DESCRIPTION',
  StarCount: 'STARS',
  IsOfficial: 'OFFICIAL',
  IsAutomated: 'AUTOMATED',
};

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
  async run(context, flags) {
    const found = await searchImages(context.client(), {
      term: flags.operands[0],
      limit: flags.number('limit') || undefined,
      filters: filterText(filtersOf(flags.list('filter'))),
    });
    const rows = found.map((each) =>
      row({
        Description: () =>
          flags.bool('no-trunc') ? each.description : ellipsis(each.description.replaceAll('\n', ' '), 45),
        IsAutomated: () => (each.is_automated ? '[OK]' : ''),
        IsOfficial: () => (each.is_official ? '[OK]' : ''),
        Name: () => each.name,
        StarCount: () => String(each.star_count),
      }),
    );
    const chosen = flags.string('format');
    const format =
      chosen === '' || chosen === 'table'
        ? 'table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}'
        : chosen;
    context.print(
      await renderListing({ format, typeName: '*formatter.searchContext', headers: HEADERS, rows }),
    );
    return 0;
  },
};
