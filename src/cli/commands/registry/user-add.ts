import { ReadStream } from 'node:tty';
import { WharfError } from '../../../base/index.ts';
import { readAll } from '../../../client/index.ts';
import { type CommandSpec, type Context, ExitError, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { USERS_FLAG, usersFile } from './user-file.ts';

/** A password is a line; more is a file given by mistake. */
const MAX_INPUT_BYTES = 4096;

export const command: CommandSpec = {
  usage: '[OPTIONS] USER',
  summary: 'Add a user, or set the password of one',
  flags: [USERS_FLAG, flag('password-stdin', 'bool', 'Take the password from stdin')],
  arity: exactly(1),
  async run(context, flags) {
    const name = flags.operands[0] ?? '';
    const file = usersFile(flags);
    const password = flags.bool('password-stdin')
      ? (await readAll(context.stdin, MAX_INPUT_BYTES)).toString().replace(/\r?\n$/, '')
      : await askTwice(context);
    const { setUser } = await import('../../../registryd/index.ts');
    const done = await setUser(file, name, password);
    context.print(done === 'added' ? `Added user ${name}\n` : `Changed the password of user ${name}\n`);
    return 0;
  },
};

async function askTwice(context: Context): Promise<string> {
  const password = await ask(context, 'Password: ');
  if ((await ask(context, 'Again: ')) !== password) throw new WharfError('invalid', 'the passwords differ');
  return password;
}

/** Reads a line from the terminal without showing it. */
async function ask(context: Context, prompt: string): Promise<string> {
  const { stdin } = context;
  if (!(stdin instanceof ReadStream) || !stdin.isTTY)
    throw new WharfError('invalid', 'there is no terminal to ask for a password: use --password-stdin');
  context.warn(prompt);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const typed: string[] = [];
  const onData = (chunk: Buffer) => {
    for (const character of chunk.toString()) {
      if (character === '\r' || character === '\n' || character === '\u0004') return resolve(typed.join(''));
      if (character === '\u0003') return reject(new ExitError(130));
      if (character === '\u007f' || character === '\b') typed.pop();
      else typed.push(character);
    }
  };
  stdin.setRawMode(true);
  stdin.on('data', onData).resume();
  try {
    return await promise;
  } finally {
    stdin.off('data', onData).pause();
    stdin.setRawMode(false);
    context.warn('\n');
  }
}
