import {
  filterText,
  type PruneReport,
  pruneBuildCache,
  pruneContainers,
  pruneImages,
  pruneNetworks,
  pruneVolumes,
} from '../../../client/index.ts';
import { type CommandSpec, ExitError, NO_OPERANDS } from '../../command.ts';
import { flag } from '../../flags.ts';
import { prune, pruneFlags } from '../../prune.ts';
import { filtersOf } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Remove unused data',
  flags: pruneFlags('Provide filter values (e.g. "label=<key>=<value>")', [
    flag('a,all', 'bool', 'Remove all unused images not just dangling ones'),
    flag('volumes', 'bool', 'Prune anonymous volumes'),
  ]),
  arity: NO_OPERANDS,
  run(context, flags) {
    const [all, volumes] = [flags.bool('all'), flags.bool('volumes')];
    if (volumes && filtersOf(flags.list('filter'))['until'])
      throw new ExitError(1, 'ERROR: The "until" filter is not supported with "--volumes"');
    return prune(context, flags, {
      kind: 'system',
      warning: warningText(all, volumes, flags.list('filter')),
      query: { all, volumes },
      async work(filters) {
        const client = context.client();
        const text = filterText(filters);
        const reports: PruneReport[] = [
          await pruneContainers(client, text),
          await pruneNetworks(client, text),
        ];
        if (volumes) reports.push(await pruneVolumes(client, text));
        reports.push(await pruneImages(client, filterText({ ...filters, dangling: [String(!all)] })));
        reports.push(await pruneBuildCache(client, { all, filters: text }));
        return reports;
      },
    });
  },
};

function warningText(all: boolean, volumes: boolean, filters: readonly string[]): string {
  const list = (lines: readonly string[]) => lines.map((each) => `  - ${each}\n`).join('');
  const what = list([
    'all stopped containers',
    'all networks not used by at least one container',
    ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
    all ? 'all images without at least one container associated to them' : 'all dangling images',
    all ? 'all build cache' : 'unused build cache',
  ]);
  const limits =
    filters.length === 0 ? '' : `  Items to be pruned will be filtered with:\n${list(filters.toSorted())}\n`;
  return `WARNING! This will remove:\n${what}\n${limits}`;
}
