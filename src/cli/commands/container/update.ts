import { WharfError } from '../../../base/index.ts';
import { updateContainer } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { describeError } from '../../errors.ts';
import { UPDATE_FLAGS } from '../../run/flags.ts';
import { resourceFields, restartPolicy } from '../../run/request.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Update configuration of one or more containers',
  flags: UPDATE_FLAGS,
  arity: atLeast(1),
  completes: 'containers',
  async run(context, flags) {
    if (!UPDATE_FLAGS.some((each) => flags.changed(each.name))) {
      throw new WharfError('invalid', 'you must provide one or more flags when using this command');
    }
    const body = {
      ...resourceFields(flags),
      ...(flags.changed('restart') ? { RestartPolicy: restartPolicy(flags.string('restart')) } : {}),
    };
    const [warnings, errors]: [string[], string[]] = [[], []];
    for (const id of flags.operands) {
      try {
        const answer = await updateContainer(context.client(), id, body);
        context.print(`${id}\n`);
        warnings.push(...(answer.Warnings ?? []));
      } catch (thrown) {
        errors.push(describeError(thrown));
      }
    }
    if (warnings.length > 0) context.print(`${warnings.join('\n')}\n`);
    if (errors.length > 0) context.warn(`${errors.join('\n')}\n`);
    return errors.length > 0 ? 1 : 0;
  },
};
