import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compareSync } from 'bcryptjs';
import type { Terminal } from '../../command.ts';
import { main } from '../../main.ts';

let dir: string;
let users: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wharf-cli-registry-'));
  users = join(dir, 'users');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Runs a command line; `input` is what stands in its standard input, `typed` what is typed on a terminal, key by key. */
async function wharf(args: string[], { input = '', typed }: { input?: string; typed?: string[] } = {}) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const modes: boolean[] = [];
  if (typed) {
    Object.assign(stdin, { isTTY: true, setRawMode: (raw: boolean) => modes.push(raw) });
    // An answer is typed when it is asked for.
    stdout.on('data', (text) => {
      shown += text;
      if (/: $/.test(String(text))) stdin.write(typed.shift() ?? '\r');
    });
  } else {
    stdin.end(input);
    stdout.on('data', (text) => {
      shown += text;
    });
  }
  let shown = '';
  const terminal = { stdin, stdout, stderr } as unknown as Terminal;
  const code = await main(['registry', ...args], terminal, { DOCKER_CONFIG: '/nonexistent' });
  return { code, out: shown, err: String(stderr.read() ?? ''), modes };
}

const hashOf = (name: string) =>
  readFileSync(users, 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1) ?? '';

describe('wharf registry user', () => {
  it('adds, changes, lists and removes', async () => {
    const add = (name: string, input: string) =>
      wharf(['user', 'add', '--htpasswd', users, '--password-stdin', name], { input });
    assert.deepEqual((await add('ann', 'first\n')).out, 'Added user ann\n');
    assert.deepEqual((await add('bob', 'x')).out, 'Added user bob\n');
    assert.deepEqual((await add('ann', 'second')).out, 'Changed the password of user ann\n');
    assert.equal(compareSync('second', hashOf('ann')), true);
    assert.equal((await wharf(['user', 'ls', '--htpasswd', users])).out, 'ann\nbob\n');
    const planned = await wharf([
      'user',
      'rm',
      '--dry-run',
      '--format',
      '{{.Name}} {{.Reason}}',
      '--htpasswd',
      users,
      'ann',
      'eve',
    ]);
    assert.equal(planned.out, 'ann \neve no such user: eve\n');
    assert.equal((await wharf(['user', 'rm', '--htpasswd', users, 'ann', 'bob'])).out, 'ann\nbob\n');
    assert.equal((await wharf(['user', 'ls', '--htpasswd', users])).out, '');
  });

  it('asks twice for a password, without showing it', async () => {
    const asked = await wharf(['user', 'add', '--htpasswd', users, 'ann'], {
      typed: ['a-secret\r', 'a-secret\r'],
    });
    assert.deepEqual([asked.code, asked.out], [0, 'Password: \nAgain: \nAdded user ann\n']);
    assert.deepEqual(asked.modes, [true, false, true, false]);
    assert.equal(compareSync('a-secret', hashOf('ann')), true);
    const differ = await wharf(['user', 'add', '--htpasswd', users, 'bob'], { typed: ['one\r', 'two\r'] });
    assert.deepEqual([differ.code, differ.err], [1, 'the passwords differ\n']);
    const ended = await wharf(['user', 'add', '--htpasswd', users, 'bob'], { typed: ['\u0003'] });
    assert.equal(ended.code, 130);
    assert.equal((await wharf(['user', 'ls', '--htpasswd', users])).out, 'ann\n');
  });

  it('says what is wrong', async () => {
    const wrong: [string[], RegExp][] = [
      [['user', 'ls'], /say which file holds the users: --htpasswd FILE/],
      [['user', 'add', '--htpasswd', users, 'ann'], /use --password-stdin/],
      [['user', 'add', '--htpasswd', users, '@ann'], /"@ann" can't be a user/],
      [['user', 'rm', '--htpasswd', users, 'eve'], /no such user: eve/],
      [['user', 'ls', '--htpasswd', users], /there is no file .*users/],
      [['serve', '--root', '/etc/passwd'], /"\/etc\/passwd" can't be the folder of a registry: /],
      [['gc', '--root', dir, '--grace', '-1h'], /the grace of a collection is no time before now/],
      [['user', 'add', '--htpasswd', users], /requires 1 argument/],
      [['user', 'foo'], /unknown command: wharf registry user foo/],
      [['foo'], /unknown command: wharf registry foo/],
    ];
    for (const [args, message] of wrong) {
      const { code, err } = await wharf(args);
      assert.equal(code, 1, args.join(' '));
      assert.match(err, message);
    }
    assert.equal(existsSync(users), false);
  });

  it('has help for each group', async () => {
    assert.match(
      (await wharf(['--help'])).out,
      /Usage: {2}wharf registry COMMAND[\s\S]*gc .*[\s\S]*serve .*[\s\S]*user add /,
    );
    assert.match(
      (await wharf(['user', '--help'])).out,
      /Usage: {2}wharf registry user COMMAND[\s\S]*add .*[\s\S]*ls .*[\s\S]*rm /,
    );
  });
});

describe('wharf registry serve and gc', () => {
  const program = fileURLToPath(new URL('../../../../bin/wharf', import.meta.url));

  /** Starts the program and waits until it says that it is ready. */
  async function serve(...args: string[]) {
    const child = spawn(
      program,
      ['registry', 'serve', '--root', join(dir, 'root'), '--listen', '127.0.0.1:0', ...args],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const exited = once(child, 'exit');
    let log = '';
    child.stderr.on('data', (text) => {
      log += text;
    });
    while (!log.includes('the registry is ready')) {
      const ended = await Promise.race([
        once(child.stderr, 'data').then(() => false),
        exited.then(() => true),
      ]);
      if (ended) throw new Error(`the registry ended: ${log}`);
    }
    const ready = JSON.parse(log.split('\n').find((line) => line.includes('is ready')) ?? '');
    return { child, exited, base: `http://${ready.listen[0]}`, log: () => log };
  }

  it('serve until told to end', async () => {
    const { child, exited, base, log } = await serve('--audit-log', '-');
    try {
      assert.equal((await fetch(`${base}/v2/`)).status, 200);
      const dry = await wharf(['gc', '--root', join(dir, 'root'), '--dry-run']);
      assert.deepEqual([dry.code, dry.out], [0, 'Total reclaimable space: 0B\n']);
      const json = await wharf(['gc', '--root', join(dir, 'root'), '--json', '--grace', '0s', '--untagged']);
      assert.deepEqual(JSON.parse(json.out), { blobs: [], manifests: [], uploads: [], bytes: 0 });
      child.kill('SIGHUP');
      assert.equal((await fetch(`${base}/v2/_catalog`)).status, 200);
      child.kill('SIGTERM');
      assert.deepEqual(await exited, [0, null]);
      const audit = log()
        .split('\n')
        .filter((line) => line.includes('"action"'));
      assert.deepEqual(
        audit.map((line) => JSON.parse(line).action),
        ['login', 'catalog'],
      );
    } finally {
      child.kill('SIGKILL');
    }
    assert.equal((await wharf(['gc', '--root', join(dir, 'root')])).out, 'Total reclaimed space: 0B\n');
  });

  it('refuse settings that are wrong, by name', async () => {
    const serving = (...args: string[]) => wharf(['serve', '--root', join(dir, 'root'), ...args]);
    for (const [args, message] of [
      [['--listen', '0.0.0.0:0'], /reached from other machines/],
      [['--listen', 'x'], /listen takes ADDRESS:PORT/],
      [['--tlscert', 'x'], /tlscert needs tlskey/],
      [['--access', 'x'], /htpasswd is needed/],
      [['--htpasswd', users], /users can't be read/],
    ] as [string[], RegExp][]) {
      const { code, err } = await serving(...args);
      assert.deepEqual([code, message.test(err)], [1, true], err);
    }
    writeFileSync(users, 'ann:{SHA}x\n');
    assert.match((await serving('--htpasswd', users)).err, /users, line 1: SHA-1 instead of bcrypt/);
    assert.match((await wharf(['gc', '--root', join(dir, 'none')])).err, /there is no registry in/);
    assert.equal(existsSync(join(dir, 'none')), false);
  });

  it('keep everything below a root for its owner alone', async () => {
    const { child, exited } = await serve();
    child.kill('SIGTERM');
    await exited;
    assert.equal(statSync(join(dir, 'root')).mode & 0o777, 0o700);
  });
});
