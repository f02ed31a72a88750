import { pipeline } from 'node:stream/promises';
import { containerLogs, inspectContainer } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { demultiplexed } from '../../streams.ts';
import { timeArgument } from '../../time-argument.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] CONTAINER',
  summary: 'Fetch the logs of a container',
  flags: [
    flag('details', 'bool', 'Show extra details provided to logs'),
    flag('f,follow', 'bool', 'Follow log output'),
    flag(
      'since',
      'string',
      'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    ),
    flag('n,tail', 'string', 'Number of lines to show from the end of the logs', { default: 'all' }),
    flag('t,timestamps', 'bool', 'Show timestamps'),
    flag(
      'until',
      'string',
      'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    ),
  ],
  arity: exactly(1),
  completes: 'containers',
  async run(context, flags) {
    const document = await inspectContainer(context.client(), flags.operands[0] ?? '');
    const since = flags.string('since');
    const until = flags.string('until');
    const response = await containerLogs(context.client(), document.Id, {
      stdout: true,
      stderr: true,
      details: flags.bool('details'),
      follow: flags.bool('follow'),
      timestamps: flags.bool('timestamps'),
      tail: flags.string('tail'),
      since: since === '' ? undefined : timeArgument(since, context.now(), 'since'),
      until: until === '' ? undefined : timeArgument(until, context.now(), 'until'),
    });
    if (document.Config.Tty) await pipeline(response, context.stdout, { end: false });
    else await demultiplexed(response, context.stdout, context.stderr);
    return 0;
  },
};
