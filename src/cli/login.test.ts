import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Answer, runAgainst, type Screen } from './fake-engine.ts';

const STORED = "\nWARNING! Your credentials are stored unencrypted in '";

/** A folder for a test: its config.json, and programs on a path of its own. */
class Home implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'wharf-login-'));

  get file(): string {
    return join(this.dir, 'config.json');
  }

  write(config: unknown): void {
    writeFileSync(this.file, JSON.stringify(config));
  }

  read(): Record<string, unknown> {
    return JSON.parse(readFileSync(this.file, 'utf8'));
  }

  program(name: string, script: string): void {
    const file = join(this.dir, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }

  /** What was asked of the engine, too. */
  async run(args: string[], screen: Screen = {}) {
    const bodies: Record<string, unknown>[] = [];
    const answer: Answer = (_request, body) => {
      const auth = JSON.parse(body || '{}') as Record<string, unknown>;
      bodies.push(auth);
      if (auth['password'] === 'bad') return { status: 401, json: { message: 'unauthorized: wrong' } };
      return {
        json: { Status: 'Login Succeeded', IdentityToken: auth['password'] === 'tok' ? 'TOKEN' : '' },
      };
    };
    const env = { DOCKER_CONFIG: this.dir, PATH: `${this.dir}:/usr/bin:/bin`, HELPER_DIR: this.dir };
    return { ...(await runAgainst(args, answer, env, screen)), bodies };
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const typed = (...input: string[]): Screen => ({ tty: true, input });

test('on a terminal it asks for both, the password without an echo, and keeps them for the owner alone', async () => {
  using home = new Home();
  const { code, out, err, raw, bodies } = await home.run(
    ['login', 'http://reg.lab/v2/'],
    typed('al\n', 'pw\r'),
  );
  assert.deepEqual([code, out, raw], [0, 'Username: Password: \nLogin Succeeded\n', [true, false]]);
  assert.ok(err.startsWith(`${STORED}${home.file}'.\n`));
  assert.deepEqual(bodies, [{ username: 'al', password: 'pw', serveraddress: 'reg.lab' }]);
  assert.deepEqual(home.read(), { auths: { 'reg.lab': { auth: base64('al:pw') } } });
  assert.equal(statSync(home.file).mode & 0o777, 0o600);
  assert.equal(
    readFileSync(home.file, 'utf8'),
    `{\n\t"auths": {\n\t\t"reg.lab": {\n\t\t\t"auth": "${base64('al:pw')}"\n\t\t}\n\t}\n}`,
  );
});

test('what is kept is tried first; where it is wrong, its user name is offered', async () => {
  using home = new Home();
  home.write({ auths: { 'reg.lab': { auth: base64('al:pw') } } });
  const again = await home.run(['login', 'reg.lab']);
  assert.deepEqual([again.code, again.out], [0, 'Login Succeeded\n']);
  assert.match(
    again.err,
    /^Authenticating with existing credentials\.\.\. \[Username: al\]\n\n Info -> To login/,
  );
  home.write({ auths: { 'reg.lab': { auth: base64('al:bad') } } });
  const offered = await home.run(['login', 'reg.lab'], typed('\n', 'new\n'));
  assert.deepEqual([offered.code, offered.out], [0, 'Username (al): Password: \nLogin Succeeded\n']);
  assert.match(offered.err, /Stored credentials invalid or expired\n/);
  assert.deepEqual(home.read(), { auths: { 'reg.lab': { auth: base64('al:new') } } });
});

test('an identity token is kept instead of the password', async () => {
  using home = new Home();
  const { err } = await home.run(['login', '-u', 'al', '--password-stdin', 'reg.lab'], { input: ['tok\n'] });
  assert.equal(err, '');
  assert.deepEqual(home.read(), { auths: { 'reg.lab': { auth: base64('al:'), identitytoken: 'TOKEN' } } });
});

test('flags that do not go together, and input that is no terminal', async () => {
  using home = new Home();
  const error = async (...args: string[]) => {
    const { code, err } = await home.run(['login', ...args, 'reg.lab']);
    assert.equal(code, 1);
    return err;
  };
  const noTerminal = 'Error: Cannot perform an interactive login from a non TTY device\n';
  assert.equal(await error(), noTerminal);
  assert.equal(await error('-u', 'al'), noTerminal);
  assert.equal(await error('-u', ''), 'username is empty\n');
  assert.equal(await error('-u', 'al', '-p', ''), 'password is empty\n');
  assert.equal(
    await error('-p', 'x', '--password-stdin'),
    'conflicting options: cannot specify both --password and --password-stdin\n',
  );
  assert.equal(
    await error('--password-stdin'),
    'the --password-stdin option requires --username to be set\n',
  );
  assert.equal(
    await error('-u', 'al', '-p', 'bad'),
    'WARNING! Using --password via the CLI is insecure. Use --password-stdin.\nError response from daemon: unauthorized: wrong\n',
  );
  assert.equal(existsSync(home.file), false);
});

test('empty answers are refused; Ctrl-C ends the question with nothing kept', async () => {
  using home = new Home();
  const name = await home.run(['login', 'reg.lab'], typed('\n'));
  assert.deepEqual([name.code, name.err], [1, 'Error: Non-null Username Required\n']);
  const word = await home.run(['login', 'reg.lab'], typed('al\n', '\u007f\u0015\r'));
  assert.deepEqual([word.code, word.err], [1, 'Error: Password Required\n']);
  const ended = await home.run(['login', 'reg.lab'], typed('al\n', 'p\u0003'));
  assert.deepEqual([ended.code, ended.out, ended.raw], [0, 'Username: Password: \n', [true, false]]);
  const edited = await home.run(['login', 'reg.lab'], typed('al\n', 'pwx\u007f\n'));
  assert.equal(edited.bodies[0]?.['password'], 'pw');
});

test('the file keeps what it says beside, its mode, and the link through which it is reached', async () => {
  using home = new Home();
  const real = join(home.dir, 'real.json');
  const rest = { credHelpers: { 'other.lab': 'x' }, unknown: { b: 1, a: [2] } };
  writeFileSync(real, JSON.stringify({ ...rest, auths: { 'z.lab': { auth: base64('z:z'), email: 'z@z' } } }));
  chmodSync(real, 0o640);
  symlinkSync('real.json', home.file);
  await home.run(['login', '-u', 'al', '-p', 'pw', 'a.lab']);
  const z = { auth: base64('z:z'), email: 'z@z' };
  assert.deepEqual(home.read(), { ...rest, auths: { 'a.lab': { auth: base64('al:pw') }, 'z.lab': z } });
  assert.deepEqual(Object.keys(home.read()['auths'] as object), ['a.lab', 'z.lab']);
  assert.equal(lstatSync(home.file).isSymbolicLink(), true);
  assert.equal(statSync(real).mode & 0o777, 0o640);
  await home.run(['logout', 'a.lab']);
  assert.deepEqual(home.read(), { ...rest, auths: { 'z.lab': z } });
  assert.deepEqual(readdirSync(home.dir).sort(), ['config.json', 'real.json']);
});

test('a file that cannot be read is not replaced', async () => {
  using home = new Home();
  writeFileSync(home.file, '{"auths": {broken');
  const { code, err } = await home.run(['login', '-u', 'al', '-p', 'pw', 'a.lab']);
  assert.equal(code, 1);
  assert.match(err, /Error saving credentials: .*config\.json is not a JSON object; it is left as it is\n$/);
  assert.equal(readFileSync(home.file, 'utf8'), '{"auths": {broken');
});

test('logout forgets the address in each of its forms', async () => {
  using home = new Home();
  const auth = { auth: base64('a:b') };
  home.write({ auths: { 'r.lab': auth, 'https://r.lab': auth, 'https://index.docker.io/v1/': auth } });
  const { out } = await home.run(['logout', 'https://r.lab']);
  assert.equal(out, 'Removing login credentials for r.lab\n');
  assert.deepEqual(Object.keys(home.read()['auths'] as object), ['https://index.docker.io/v1/']);
  assert.equal(
    (await home.run(['logout'])).out,
    'Removing login credentials for https://index.docker.io/v1/\n',
  );
  assert.deepEqual(home.read(), { auths: {} });
});

const HELPER =
  'in=$(cat); echo "$1 $in" >> "$HELPER_DIR/log"; case $1 in ' +
  'get) if [ -f "$HELPER_DIR/kept" ]; then cat "$HELPER_DIR/kept"; else echo "credentials not found in native keychain"; exit 1; fi;; ' +
  'store) echo "$in" > "$HELPER_DIR/kept";; erase) rm -f "$HELPER_DIR/kept";; esac';

test('a program keeps the credentials, and the file only their address', async () => {
  using home = new Home();
  home.program('docker-credential-fake', HELPER);
  home.write({ credsStore: 'fake' });
  const { code, err } = await home.run(['login', '-u', 'al', '--password-stdin', 'reg.lab'], {
    input: ['pw'],
  });
  assert.deepEqual([code, err], [0, '']);
  assert.deepEqual(home.read(), { credsStore: 'fake', auths: { 'reg.lab': {} } });
  const log = () => readFileSync(join(home.dir, 'log'), 'utf8');
  assert.equal(log(), 'store {"ServerURL":"reg.lab","Username":"al","Secret":"pw"}\n');
  const again = await home.run(['login', 'reg.lab']);
  assert.deepEqual(again.bodies, [{ username: 'al', password: 'pw', serveraddress: 'reg.lab' }]);
  await home.run(['logout', 'reg.lab']);
  assert.match(log(), /erase reg\.lab\nerase http:\/\/reg\.lab\nerase https:\/\/reg\.lab\n$/);
  assert.deepEqual(home.read(), { credsStore: 'fake', auths: {} });
});

test('a program keeps an identity token under the name of a token', async () => {
  using home = new Home();
  home.program('docker-credential-fake', HELPER);
  home.write({ credHelpers: { 'reg.lab': 'fake' } });
  await home.run(['login', '-u', 'al', '-p', 'tok', 'reg.lab']);
  assert.match(readFileSync(join(home.dir, 'kept'), 'utf8'), /"Username":"<token>","Secret":"TOKEN"/);
  let header = '';
  await runAgainst(
    ['pull', '-q', 'reg.lab/x'],
    (request) => {
      header = String(request.headers['x-registry-auth']);
      return {};
    },
    { DOCKER_CONFIG: home.dir, PATH: `${home.dir}:/usr/bin:/bin`, HELPER_DIR: home.dir },
  );
  assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url').toString()), {
    identitytoken: 'TOKEN',
    serveraddress: 'reg.lab',
  });
});

test('programs that fail, lie or are missing: login says so, pull goes on without', async () => {
  using home = new Home();
  home.program('docker-credential-boom', 'echo "boom\u001b[2J"; exit 3');
  home.program('docker-credential-lie', 'echo "[]"');
  home.write({ credHelpers: { 'a.lab': 'boom', 'b.lab': 'gone', 'c.lab': 'lie', 'd.lab': '../x' } });
  const login = async (host: string) => (await home.run(['login', '-u', 'al', '-p', 'secret', host])).err;
  assert.match(
    await login('a.lab'),
    /^Error saving credentials: error storing credentials - err: exit status 3, out: `boom\[2J`$/m,
  );
  assert.match(
    await login('b.lab'),
    /err: exec: "docker-credential-gone": executable file not found in \$PATH, out: ``$/m,
  );
  assert.match(await login('d.lab'), /is no name of a program/);
  for (const host of ['a.lab', 'b.lab', 'c.lab', 'd.lab'])
    assert.equal((await home.run(['pull', '-q', `${host}/x`])).code, 0);
  assert.doesNotMatch(await login('a.lab'), /secret/);
});

test('without an engine, the registry itself is asked', async () => {
  using home = new Home();
  const env = { DOCKER_CONFIG: home.dir, WHARF_HOST: 'unix:///nonexistent.sock' };
  const registry = await runAgainst(['login', '-u', 'al', '-p', 'pw', '127.0.0.1:1'], () => ({}), env);
  assert.equal(registry.code, 1);
  assert.match(registry.err, /127\.0\.0\.1:1\/v2\/.*connection refused/);
});

const SCRIPT = '/usr/bin/script';
const noScript = existsSync(SCRIPT) ? false : `${SCRIPT} is not installed`;

test('a real terminal shows what is asked and the user name, and never the password', {
  skip: noScript,
}, async () => {
  using home = new Home();
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => response.end('{"Status":"Login Succeeded","IdentityToken":""}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const program = join(import.meta.dirname, '../../bin/wharf');
    const child = spawn(
      SCRIPT,
      ['-qec', `${program} -H tcp://127.0.0.1:${port} login reg.lab`, '/dev/null'],
      {
        env: { PATH: '/usr/bin:/bin', HOME: home.dir, DOCKER_CONFIG: home.dir, SHELL: '/bin/sh' },
      },
    );
    const answers = ['al\n', 'pw-of-al\n'];
    let shown = '';
    child.stdout.on('data', (data) => {
      shown += data;
      if (/: $/.test(shown) && answers.length > 0) child.stdin.write(answers.shift());
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(code, 0);
    assert.match(shown, /^Username: al\r\nPassword: \r\n/);
    assert.match(shown, /Login Succeeded\r\n$/);
    assert.doesNotMatch(shown, /pw-of-al/);
    assert.deepEqual(home.read(), { auths: { 'reg.lab': { auth: base64('al:pw-of-al') } } });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
