import { isKind, WharfError } from '../../../base/index.ts';
import { authenticate, isEngineError, readAll } from '../../../client/index.ts';
import type { CommandSpec, Context } from '../../command.ts';
import { type AuthConfig, credentialStore, registryHost } from '../../credential-store.ts';
import { describeError } from '../../errors.ts';
import { flag, type ParsedFlags } from '../../flags.ts';
import { printNote } from '../../note.ts';
import { Prompt, PromptEnded } from '../../prompt.ts';
import { DEFAULT_REGISTRY } from '../../registry-auth.ts';
import { safeText } from '../../sanitize.ts';

/** A password may not be longer, in bytes. */
const MAX_PASSWORD = 1024 * 1024;

export const command: CommandSpec = {
  usage: '[OPTIONS] [SERVER]',
  summary: 'Authenticate to a registry',
  flags: [
    flag('p,password', 'string', 'Password or Personal Access Token (PAT)'),
    flag('password-stdin', 'bool', 'Take the Password or Personal Access Token (PAT) from stdin'),
    flag('u,username', 'string', 'Username'),
  ],
  arity: { min: 0, max: 1 },
  completes: 'registries',
  async run(context, flags) {
    const given = await givenCredentials(context, flags);
    const asked = flags.operands[0] ?? '';
    const server =
      asked === '' || asked === 'docker.io' || asked === DEFAULT_REGISTRY
        ? DEFAULT_REGISTRY
        : registryHost(asked);
    const store = credentialStore(context, server);
    try {
      const known = given.username || given.password ? undefined : await logInAgain(context, server);
      if (known?.status !== undefined) return say(context, known.status);
      const auth = await askFor(context, given, server, known?.username);
      const answer = await check(context, auth);
      const kept = answer.IdentityToken ? tokenOf(auth, answer.IdentityToken) : auth;
      keep(context, store, kept);
      return say(context, answer.Status);
    } catch (thrown) {
      if (!(thrown instanceof PromptEnded)) throw thrown;
      context.print('\n');
      return 0;
    }
  },
};

type Complete = AuthConfig & { username: string; serveraddress: string };

function say(context: Context, status: string): number {
  if (status) context.print(`${safeText(status)}\n`);
  return 0;
}

async function givenCredentials(context: Context, flags: ParsedFlags) {
  const refuse = (text: string) => new WharfError('invalid', text);
  const username = flags.string('username').trim();
  const password = flags.string('password');
  if (flags.changed('username') && username === '') throw refuse('username is empty');
  if (flags.changed('password') && password === '') throw refuse('password is empty');
  const piped = flags.bool('password-stdin');
  if (piped && password !== '')
    throw refuse('conflicting options: cannot specify both --password and --password-stdin');
  if (password !== '')
    context.warn('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
  if (!piped) return { username, password: password.trim() };
  if (username === '') throw refuse('the --password-stdin option requires --username to be set');
  return {
    username,
    password: (await readAll(context.stdin, MAX_PASSWORD, 'the password')).toString().trim(),
  };
}

/** Tries what is kept. The status when that is still right; else the user name, to be offered. */
async function logInAgain(
  context: Context,
  server: string,
): Promise<{ status?: string; username?: string } | undefined> {
  let auth: AuthConfig;
  try {
    auth = credentialStore(context, server).get(server);
  } catch {
    return undefined;
  }
  const { username, password } = auth;
  if (!username || !password) return username ? { username } : {};
  context.warn(`Authenticating with existing credentials... [Username: ${safeText(username)}]\n`);
  printNote(
    context.stderr,
    `To login with a different account, run '${context.program} logout' followed by '${context.program} login'`,
  );
  context.warn('\n\n');
  const complete = { username, password, serveraddress: server };
  try {
    const answer = await check(context, complete);
    const kept = answer.IdentityToken ? tokenOf(complete, answer.IdentityToken) : complete;
    keep(context, credentialStore(context, server), kept);
    return { status: answer.Status };
  } catch (thrown) {
    context.warn(
      isKind(thrown, 'unauthorized')
        ? 'Stored credentials invalid or expired\n'
        : `Login did not succeed, error: ${describeError(thrown)}\n`,
    );
    return { username };
  }
}

async function askFor(
  context: Context,
  given: { username: string; password: string },
  server: string,
  known = '',
): Promise<Complete> {
  if ((given.username === '' || given.password === '') && !context.stdin.isTTY)
    throw new WharfError('invalid', 'Error: Cannot perform an interactive login from a non TTY device');
  using prompt = new Prompt(context);
  let { username, password } = given;
  if (username === '') {
    if (server === DEFAULT_REGISTRY)
      context.print('Log in to Docker Hub with your Docker ID or email address.\n\n');
    username = (await prompt.ask(known === '' ? 'Username: ' : `Username (${safeText(known)}): `)) || known;
    if (username === '') throw new WharfError('invalid', 'Error: Non-null Username Required');
  }
  if (password === '') {
    if (server === DEFAULT_REGISTRY)
      printNote(
        context.stderr,
        'A Personal Access Token (PAT) can be used instead.\nTo create a PAT, visit \u001b[4mhttps://app.docker.com/settings\u001b[0m\n\n',
      );
    password = await prompt.askHidden('Password: ');
    if (password === '') throw new WharfError('invalid', 'Error: Password Required');
  }
  return { username, password, serveraddress: server };
}

/** Asks the engine, or, where none can be reached, the registry itself. */
async function check(context: Context, auth: Complete): Promise<{ Status: string; IdentityToken?: string }> {
  try {
    return await authenticate(context.client(), auth);
  } catch (thrown) {
    if (!isKind(thrown, 'unavailable') || isEngineError(thrown)) throw thrown;
  }
  const { openRegistriesFor } = await import('../../registries.ts');
  using registries = await openRegistriesFor(context);
  const { username, password = '' } = auth;
  const { status, identityToken } = await registries.login(auth.serveraddress, { username, password });
  return { Status: status, IdentityToken: identityToken };
}

function tokenOf(auth: Complete, token: string): Complete {
  return { username: auth.username, serveraddress: auth.serveraddress, identitytoken: token };
}

function keep(context: Context, store: ReturnType<typeof credentialStore>, auth: Complete): void {
  let file: string | undefined;
  try {
    file = store.store(auth);
  } catch (thrown) {
    throw new WharfError('invalid', `Error saving credentials: ${describeError(thrown)}`, { cause: thrown });
  }
  if (file !== undefined)
    context.warn(
      `\nWARNING! Your credentials are stored unencrypted in '${file}'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n`,
    );
}
