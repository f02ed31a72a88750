import { delimiter, join } from 'node:path';
import { errnoCode, WharfError } from '../base/index.ts';
import type { AuthConfig, CredentialStore } from './credential-store.ts';
import { nodeFs } from './files.ts';
import { safeText } from './sanitize.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The user name under which a program keeps an identity token. Source: docker-credential-helpers, README. */
const TOKEN_USER = '<token>';
/** A program's answer may not be longer, in bytes. */
const MAX_ANSWER = 1024 * 1024;

/** Whether a program of this name is on the path. */
export function onPath(env: Env, program: string): boolean {
  return (env['PATH'] ?? '').split(delimiter).some((dir) => {
    try {
      nodeFs().accessSync(join(dir, program), nodeFs().constants.X_OK);
      return dir !== '';
    } catch {
      return false;
    }
  });
}

/** Credentials kept by `docker-credential-NAME`; the file keeps an empty entry for each, as Docker's client has it. */
export function nativeStore(env: Env, name: string, file: CredentialStore): CredentialStore {
  return {
    get(server) {
      const answer = call(env, name, 'get', server);
      if (!answer.ok) {
        if (answer.text === 'credentials not found in native keychain') return {};
        throw failure('getting', answer);
      }
      return { ...readCredentials(answer.text), serveraddress: server };
    },
    store(auth) {
      const answer = call(
        env,
        name,
        'store',
        JSON.stringify({
          ServerURL: auth.serveraddress,
          Username: auth.identitytoken ? TOKEN_USER : (auth.username ?? ''),
          Secret: auth.identitytoken || (auth.password ?? ''),
        }),
      );
      if (!answer.ok) throw failure('storing', answer);
      file.store({ serveraddress: auth.serveraddress });
      return undefined;
    },
    erase(server) {
      const answer = call(env, name, 'erase', server);
      if (!answer.ok && answer.text !== 'credentials not found in native keychain')
        throw failure('erasing', answer);
      file.erase(server);
    },
  };
}

interface Answer {
  ok: boolean;
  /** What it wrote, without the blanks around. */
  text: string;
  /** Why it failed. */
  reason: string;
}

/** Runs the program; what it needs goes through its standard input, where nobody else can see it. */
function call(env: Env, name: string, verb: string, input: string): Answer {
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name))
    return { ok: false, text: '', reason: `${JSON.stringify(program)} is no name of a program` };
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const done = spawnSync(program, [verb], {
    input,
    env: { ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
    maxBuffer: MAX_ANSWER,
  });
  const text = (done.stdout ?? '').toString().trim();
  // A program that does not read what it is given says by its status whether it did its work.
  if (done.error && errnoCode(done.error) !== 'EPIPE') {
    const why =
      errnoCode(done.error) === 'ENOENT' ? 'executable file not found in $PATH' : done.error.message;
    return { ok: false, text, reason: `exec: ${JSON.stringify(program)}: ${why}` };
  }
  const reason = done.signal ? `signal: ${done.signal}` : `exit status ${done.status}`;
  return { ok: done.status === 0, text, reason };
}

function failure(what: string, answer: Answer): WharfError {
  return new WharfError(
    'invalid',
    safeText(`error ${what} credentials - err: ${answer.reason}, out: \`${answer.text}\``),
  );
}

function readCredentials(text: string): AuthConfig {
  const wrong = (why: string) => new WharfError('invalid', `error getting credentials - ${why}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw wrong('the program did not answer with JSON');
  }
  if (typeof parsed !== 'object' || parsed === null) throw wrong('the program did not answer with an object');
  const { Username: username, Secret: secret } = parsed as { Username?: unknown; Secret?: unknown };
  if (typeof username !== 'string' || typeof secret !== 'string')
    throw wrong('the answer of the program lacks Username or Secret');
  return username === TOKEN_USER ? { identitytoken: secret } : { username, password: secret };
}
