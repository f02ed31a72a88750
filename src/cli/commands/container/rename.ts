import { WharfError } from '../../../base/index.ts';
import { postContainer } from '../../../client/index.ts';
import { type CommandSpec, ExitError, exactly } from '../../command.ts';
import { describeError } from '../../errors.ts';

export const command: CommandSpec = {
  usage: 'CONTAINER NEW_NAME',
  summary: 'Rename a container',
  flags: [],
  arity: exactly(2),
  completes: ['containers'],
  async run(context, flags) {
    const [id = '', name = ''] = flags.operands.map((each) => each.trim());
    if (id === '' || name === '')
      throw new WharfError('invalid', 'Error: Neither old nor new names may be empty');
    await postContainer(context.client(), id, 'rename', { name }).catch((thrown: unknown) => {
      throw new ExitError(1, `${describeError(thrown)}\nError: failed to rename container named ${id}`);
    });
    return 0;
  },
};
