import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WharfError } from '../../../base/index.ts';
import { authenticate, readAll } from '../../../client/index.ts';
import type { CommandSpec } from '../../command.ts';
import type { ClientConfig } from '../../config.ts';
import { flag } from '../../flags.ts';
import { DEFAULT_REGISTRY } from '../../registry-auth.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] [SERVER]',
  summary: 'Authenticate to a registry',
  flags: [
    flag('p,password', 'string', 'Password or Personal Access Token (PAT)'),
    flag('password-stdin', 'bool', 'Take the Password or Personal Access Token (PAT) from stdin'),
    flag('u,username', 'string', 'Username'),
  ],
  arity: { min: 0, max: 1 },
  async run(context, flags) {
    const server = flags.operands[0] ?? DEFAULT_REGISTRY;
    const username = flags.string('username');
    let password = flags.string('password');
    if (password !== '') {
      context.warn('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
      if (flags.bool('password-stdin'))
        throw new WharfError('invalid', '--password and --password-stdin are mutually exclusive');
    }
    if (flags.bool('password-stdin')) {
      if (username === '') throw new WharfError('invalid', 'Must provide --username with --password-stdin');
      password = (await readAll(context.stdin, 1 << 20)).toString().replace(/\r?\n$/, '');
    }
    if (username === '' || password === '')
      throw new WharfError('invalid', 'Error: Cannot perform an interactive login from a non TTY device');
    const answer = await authenticate(context.client(), { username, password, serveraddress: server });
    const auth = answer.IdentityToken
      ? { auth: Buffer.from(`${username}:`).toString('base64'), identitytoken: answer.IdentityToken }
      : { auth: Buffer.from(`${username}:${password}`).toString('base64') };
    saveAuths(context.config(), { ...context.config().auths, [server]: auth });
    if (answer.Status) context.print(`${answer.Status}\n`);
    return 0;
  },
};

/** Writes the credentials beside whatever else the file says; nobody else may read it. */
export function saveAuths(config: ClientConfig, auths: NonNullable<ClientConfig['auths']>): void {
  const { dir, ...rest } = config;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, 'config.json'), `${JSON.stringify({ ...rest, auths }, null, '\t')}\n`, {
    mode: 0o600,
  });
}
