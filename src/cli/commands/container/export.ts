import { exportContainer } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { outputFlag, writeArchive } from '../../output-file.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] CONTAINER',
  summary: "Export a container's filesystem as a tar archive",
  flags: [outputFlag],
  arity: exactly(1),
  completes: 'containers',
  async run(context, flags) {
    await writeArchive(context, flags.string('output'), 'failed to export container', () =>
      exportContainer(context.client(), flags.operands[0] ?? ''),
    );
    return 0;
  },
};
