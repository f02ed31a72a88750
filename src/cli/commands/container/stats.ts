import {
  containerStats,
  filterText,
  jsonLines,
  listContainers,
  type StatsSample,
} from '../../../client/index.ts';
import { ANY_OPERANDS, type CommandSpec, type Context } from '../../command.ts';
import { flag } from '../../flags.ts';
import { listFormat } from '../../shared-flags.ts';
import { STATS_HEADERS, STATS_TABLE, statsRow } from '../../stats-row.ts';
import { renderListing } from '../../table.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] [CONTAINER...]',
  summary: 'Show what containers use, live',
  flags: [
    flag('a,all', 'bool', 'Show all containers (default shows just running)'),
    listFormat(),
    flag('no-stream', 'bool', 'Disable streaming stats and only pull the first result'),
    flag('no-trunc', 'bool', 'Do not truncate output'),
  ],
  arity: ANY_OPERANDS,
  completes: 'running',
  async run(context, flags) {
    const chosen = flags.string('format') || (context.config().statsFormat ?? '');
    const format = chosen === '' || chosen === 'table' ? STATS_TABLE : chosen;
    const all = flags.bool('all');
    const names =
      flags.operands.length > 0
        ? flags.operands
        : (await listContainers(context.client(), { all, filters: filterText({}) })).map((each) => each.Id);
    const latest = new Map<string, StatsSample | undefined>(names.map((name) => [name, undefined]));
    const draw = () => {
      const rows = names.map((name) => statsRow(name, latest.get(name), flags.bool('no-trunc')));
      return renderListing({ format, typeName: '*container.statsContext', headers: STATS_HEADERS, rows });
    };
    if (flags.bool('no-stream')) {
      await Promise.all(
        names.map((name) => follow(context, name, false, (sample) => latest.set(name, sample))),
      );
      context.print(await draw());
      return 0;
    }
    const clear = context.stdout.isTTY ? '\u001b[H\u001b[J' : '';
    const failed = Promise.withResolvers<never>();
    const show = async () => context.print(`${clear}${await draw()}`);
    const timer = setInterval(() => void show().catch(failed.reject), 500);
    try {
      const streams = names.map((name) => follow(context, name, true, (sample) => latest.set(name, sample)));
      await Promise.race([Promise.all(streams), failed.promise]);
    } finally {
      clearInterval(timer);
    }
    return 0;
  },
};

async function follow(
  context: Context,
  name: string,
  stream: boolean,
  take: (sample: StatsSample) => unknown,
): Promise<void> {
  const response = await containerStats(context.client(), name, { stream: stream ? '1' : '0' });
  for await (const sample of jsonLines<StatsSample>(response)) take(sample);
}
