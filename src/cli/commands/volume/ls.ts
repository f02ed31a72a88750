import { filterText, listVolumes } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { flag } from '../../flags.ts';
import { compareNatural } from '../../natural-order.ts';
import { volumeRow } from '../../rows.ts';
import { filterFlag, filtersOf, listFormat } from '../../shared-flags.ts';
import { renderListing } from '../../table.ts';

const HEADERS = {
  Name: 'VOLUME NAME',
  Driver: 'DRIVER',
  Scope: 'SCOPE',
  Availability: 'AVAILABILITY',
  Mountpoint: 'MOUNTPOINT',
  Labels: 'LABELS',
  Links: 'LINKS',
  Size: 'SIZE',
  Group: 'GROUP',
  Status: 'STATUS',
};

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'List volumes',
  flags: [
    filterFlag('Provide filter values (e.g. "dangling=true")'),
    listFormat(),
    flag('q,quiet', 'bool', 'Only display volume names'),
  ],
  arity: NO_OPERANDS,
  async run(context, flags) {
    const { Volumes } = await listVolumes(context.client(), filterText(filtersOf(flags.list('filter'))));
    const sorted = [...(Volumes ?? [])].sort((a, b) => compareNatural(a.Name, b.Name));
    const rows = sorted.map(volumeRow);
    const quiet = flags.bool('quiet');
    const chosen = flags.string('format') || (quiet ? '' : (context.config().volumesFormat ?? ''));
    const format =
      chosen === '' || chosen === 'table' ? (quiet ? '{{.Name}}' : 'table {{.Driver}}\t{{.Name}}') : chosen;
    context.print(
      await renderListing({ format, typeName: '*formatter.volumeContext', headers: HEADERS, rows }),
    );
    return 0;
  },
};
