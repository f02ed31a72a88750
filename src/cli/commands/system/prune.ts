import {
  filterText,
  type PruneReport,
  pruneContainers,
  pruneImages,
  pruneNetworks,
  pruneVolumes,
} from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { confirmed, pruneFlags } from '../../confirm.ts';
import { flag } from '../../flags.ts';
import { humanSize } from '../../human.ts';
import { filtersOf } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Remove unused data',
  flags: pruneFlags('Provide filter values (e.g. "label=<key>=<value>")', [
    flag('a,all', 'bool', 'Remove all unused images not just dangling ones'),
    flag('volumes', 'bool', 'Prune anonymous volumes'),
  ]),
  arity: NO_OPERANDS,
  async run(context, flags) {
    const [all, volumes] = [flags.bool('all'), flags.bool('volumes')];
    const what = [
      'all stopped containers',
      'all networks not used by at least one container',
      ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
      all ? 'all images without at least one container associated to them' : 'all dangling images',
    ];
    if (
      !(await confirmed(
        context,
        flags,
        `WARNING! This will remove:\n${what.map((each) => `  - ${each}\n`).join('')}`,
      ))
    )
      return 0;
    const client = context.client();
    const filters = filtersOf(flags.list('filter'));
    const text = filterText(filters);
    const reports: PruneReport[] = [await pruneContainers(client, text), await pruneNetworks(client, text)];
    if (volumes) reports.push(await pruneVolumes(client, text));
    reports.push(await pruneImages(client, filterText({ ...filters, dangling: [String(!all)] })));
    for (const report of reports) context.print(reportText(report));
    context.print(
      `Total reclaimed space: ${humanSize(reports.reduce((sum, report) => sum + (report.SpaceReclaimed ?? 0), 0))}\n`,
    );
    return 0;
  },
};

function reportText(report: PruneReport): string {
  const list = (title: string, names: readonly string[] | null | undefined) =>
    names?.length ? `Deleted ${title}:\n${names.map((name) => `${name}\n`).join('')}\n` : '';
  const images = report.ImagesDeleted?.map((step) =>
    step.Untagged ? `untagged: ${step.Untagged}` : `deleted: ${step.Deleted}`,
  );
  return (
    list('Containers', report.ContainersDeleted) +
    list('Networks', report.NetworksDeleted) +
    list('Volumes', report.VolumesDeleted) +
    list('Images', images)
  );
}
