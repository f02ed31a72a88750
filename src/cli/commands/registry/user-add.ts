import { WharfError } from '../../../base/index.ts';
import { readAll } from '../../../client/index.ts';
import { type CommandSpec, type Context, ExitError, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { Prompt, PromptEnded } from '../../prompt.ts';
import { USERS_FLAG, usersFile } from './user-file.ts';

/** A password is a line; more is a file given by mistake. */
const MAX_INPUT_BYTES = 4096;

export const command: CommandSpec = {
  usage: '[OPTIONS] USER',
  summary: 'Add a user, or set the password of one',
  flags: [
    { ...USERS_FLAG, text: `${USERS_FLAG.text}; made when missing` },
    flag('password-stdin', 'bool', 'Take the password from stdin'),
  ],
  arity: exactly(1),
  async run(context, flags) {
    const name = flags.operands[0] ?? '';
    const file = usersFile(flags);
    const { checkUserName, checkUsersFolder, setUser } = await import('../../../registryd/index.ts');
    // Before a password is asked for.
    checkUserName(name);
    checkUsersFolder(file);
    const password = flags.bool('password-stdin')
      ? (await readAll(context.stdin, MAX_INPUT_BYTES, 'the password')).toString().replace(/\r?\n$/, '')
      : await askTwice(context);
    const done = await setUser(file, name, password);
    context.print(done === 'added' ? `Added user ${name}\n` : `Changed the password of user ${name}\n`);
    return 0;
  },
};

async function askTwice(context: Context): Promise<string> {
  if (!context.stdin.isTTY)
    throw new WharfError('invalid', 'there is no terminal to ask for a password: use --password-stdin');
  using prompt = new Prompt(context);
  try {
    const password = await prompt.askHidden('Password: ');
    if ((await prompt.askHidden('Again: ')) !== password)
      throw new WharfError('invalid', 'the passwords differ');
    return password;
  } catch (thrown) {
    throw thrown instanceof PromptEnded ? new ExitError(130) : thrown;
  }
}
