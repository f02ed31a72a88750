import { imageHistory } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { ellipsis, humanDuration, humanSize, localRfc3339, truncateId } from '../../human.ts';
import { platformQuery } from '../../platform.ts';
import { listFormat } from '../../shared-flags.ts';
import { renderListing, row } from '../../table.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] IMAGE',
  summary: 'Show the history of an image',
  flags: [
    listFormat(),
    flag('H,human', 'bool', 'Print sizes and dates in human readable format', { default: true }),
    flag('no-trunc', 'bool', "Don't truncate output"),
    flag(
      'platform',
      'string',
      'Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
    flag('q,quiet', 'bool', 'Only show image IDs'),
  ],
  arity: exactly(1),
  completes: 'images',
  async run(context, flags) {
    const steps = await imageHistory(context.client(), flags.operands[0] ?? '', {
      platform: platformQuery(flags.string('platform'), 'invalid platform: '),
    });
    const [full, human] = [flags.bool('no-trunc'), flags.bool('human')];
    const rows = steps.map((step) => {
      const stamp = step.Created <= 0 ? 'N/A' : localRfc3339(new Date(step.Created * 1000));
      const command = step.CreatedBy.replaceAll('\t', ' ');
      return row({
        Comment: () => step.Comment,
        CreatedAt: () => stamp,
        CreatedBy: () => (full ? command : ellipsis(command, 45)),
        CreatedSince: () =>
          !human
            ? stamp
            : step.Created <= 0
              ? 'N/A'
              : `${humanDuration(context.now() / 1000 - step.Created)} ago`,
        ID: () => (full ? step.Id : truncateId(step.Id)),
        Size: () => (human ? humanSize(step.Size, 3) : String(step.Size)),
      });
    });
    const headers = {
      ID: 'IMAGE',
      CreatedSince: human ? 'CREATED' : 'CREATED AT',
      CreatedAt: 'CREATED AT',
      CreatedBy: 'CREATED BY',
      Size: 'SIZE',
      Comment: 'COMMENT',
    };
    const chosen = flags.string('format');
    const standard = flags.bool('quiet')
      ? '{{.ID}}'
      : `table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`;
    const format = chosen === '' || chosen === 'table' ? standard : chosen;
    context.print(await renderListing({ format, typeName: '*image.historyContext', headers, rows }));
    return 0;
  },
};
