import { bootstrapImage } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { showProgress } from '../../progress.ts';

export const command: CommandSpec = {
  usage: 'busybox|debian[:SUITE]',
  summary: "Make a base image from the machine's own packages",
  flags: [],
  arity: exactly(1),
  async run(context, flags) {
    await showProgress(await bootstrapImage(context.client(), flags.operands[0] ?? ''), context.stdout);
    return 0;
  },
};
