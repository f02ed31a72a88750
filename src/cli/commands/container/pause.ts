import { postContainer } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { forEachAtOnce } from '../../each.ts';

/** `pause` and `unpause`. */
export function pausing(verb: 'pause' | 'unpause', summary: string): CommandSpec {
  return {
    usage: 'CONTAINER [CONTAINER...]',
    summary,
    flags: [],
    arity: atLeast(1),
    completes: 'running',
    run: (context, flags) =>
      forEachAtOnce(context, flags.operands, (id) => postContainer(context.client(), id, verb)),
  };
}

export const command: CommandSpec = pausing('pause', 'Pause all processes within one or more containers');
