import { postContainer } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { forEachAtOnce } from '../../each.ts';
import { flag } from '../../flags.ts';

/** `stop` and `restart` differ in the verb alone. */
export function stopping(verb: 'stop' | 'restart', summary: string): CommandSpec {
  return {
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary,
    flags: [
      flag('s,signal', 'string', 'Signal to send to the container'),
      flag('t,timeout', 'int', 'Seconds to wait before killing the container', { shown: '' }),
      flag('time', 'int', 'The old name of --timeout', { hidden: true }),
    ].map((each) => (each.shown === '' ? { ...each, shown: undefined } : each)),
    arity: atLeast(1),
    completes: 'running',
    run(context, flags) {
      if (flags.changed('time') && flags.changed('timeout'))
        throw new Error('conflicting options: cannot specify both --timeout and --time');
      const name = flags.changed('time') ? 'time' : 'timeout';
      const query = {
        signal: flags.string('signal') || undefined,
        t: flags.changed(name) ? flags.number(name) : undefined,
      };
      return forEachAtOnce(context, flags.operands, (id) => postContainer(context.client(), id, verb, query));
    },
  };
}

export const command: CommandSpec = stopping('stop', 'Stop one or more running containers');
