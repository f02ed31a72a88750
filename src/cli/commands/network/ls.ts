import { filterText, listNetworks } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { flag } from '../../flags.ts';
import { goTime, truncateId } from '../../human.ts';
import { compareNatural } from '../../natural-order.ts';
import { labelList } from '../../rows.ts';
import { filterFlag, filtersOf, listFormat } from '../../shared-flags.ts';
import { renderListing, row } from '../../table.ts';

const HEADERS = {
  ID: 'NETWORK ID',
  Name: 'NAME',
  Driver: 'DRIVER',
  Scope: 'SCOPE',
  IPv4: 'IPV4',
  IPv6: 'IPV6',
  Internal: 'INTERNAL',
  Labels: 'LABELS',
  CreatedAt: 'CREATED AT',
};

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'List networks',
  flags: [
    filterFlag('Provide filter values (e.g. "driver=bridge")'),
    listFormat(),
    flag('no-trunc', 'bool', 'Do not truncate the output'),
    flag('q,quiet', 'bool', 'Only display network IDs'),
  ],
  arity: NO_OPERANDS,
  async run(context, flags) {
    const networks = await listNetworks(context.client(), filterText(filtersOf(flags.list('filter'))));
    networks.sort((a, b) => compareNatural(a.Name, b.Name));
    const rows = networks.map((item) =>
      row(
        {
          CreatedAt: () =>
            goTime(new Date(item.Created), /\.\d+/.exec(item.Created)?.[0].replace(/0+$/, '') ?? ''),
          Driver: () => item.Driver,
          ID: () => (flags.bool('no-trunc') ? item.Id : truncateId(item.Id)),
          IPv4: () => String(item.EnableIPv4 ?? true),
          IPv6: () => String(item.EnableIPv6),
          Internal: () => String(item.Internal),
          Labels: () => labelList(item.Labels),
          Name: () => item.Name,
          Scope: () => item.Scope,
        },
        item.Labels,
      ),
    );
    const quiet = flags.bool('quiet');
    const chosen = flags.string('format') || (quiet ? '' : (context.config().networksFormat ?? ''));
    const format =
      chosen === '' || chosen === 'table'
        ? quiet
          ? '{{.ID}}'
          : 'table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}'
        : chosen;
    context.print(
      await renderListing({ format, typeName: '*network.networkContext', headers: HEADERS, rows }),
    );
    return 0;
  },
};
