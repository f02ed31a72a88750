import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, test } from 'node:test';
import type { Terminal } from './command.ts';
import { type Answer, runAgainst as run } from './fake-engine.ts';
import { provokeRedraw, proxySignals } from './session.ts';

const dir = mkdtempSync(join(tmpdir(), 'wharf-cli-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const nothing: Answer = () => ({ json: [] });
const help = "\n\nRun 'wharf run --help' for more information\n";

test('a folder in place of a file is said in one line', async () => {
  const load = await run(['load', '-i', dir], nothing);
  assert.deepEqual([load.code, load.err, load.asked], [1, `read ${dir}: is a directory\n`, []]);
  assert.equal((await run(['import', dir], nothing)).err, `read ${dir}: is a directory\n`);
  assert.equal(
    (await run(['load', '-i', '/nofile'], nothing)).err,
    'open /nofile: no such file or directory\n',
  );
  assert.equal(
    (await run(['save', '-o', dir, 'x'], nothing)).err,
    'failed to save image: cannot write to a directory\n',
  );
  const inFile = `invalid env file (${dir}): read ${dir}: is a directory`;
  for (const flag of ['--env-file', '--label-file']) {
    const { code, err } = await run(['run', flag, dir, 'x'], nothing);
    assert.deepEqual([code, err], [125, `wharf: ${inFile}${help}`]);
  }
  const seccomp = await run(['run', '--security-opt', `seccomp=${dir}`, 'x'], nothing);
  assert.equal(
    seccomp.err,
    `wharf: opening seccomp profile (${dir}) failed: read ${dir}: is a directory${help}`,
  );
});

test('devices are not replaced by an archive', async () => {
  const { code, err, asked } = await run(['save', '-o', '/dev/null', 'x'], nothing);
  assert.deepEqual(
    [code, err, asked],
    [1, 'failed to save image: cannot write to a character device file\n', []],
  );
});

test('the file of the id is opened before the container is made', async () => {
  const missing = await run(['run', '--cidfile', '/nodir/c', 'x'], nothing);
  assert.deepEqual(
    [missing.code, missing.err, missing.asked],
    [
      127,
      `wharf: failed to create the container ID file: open /nodir/c: no such file or directory${help}`,
      [],
    ],
  );
  const file = join(dir, 'cid');
  const refused = await run(['create', '--cidfile', file, 'x'], () => ({
    status: 409,
    json: { message: 'no' },
  }));
  assert.deepEqual([refused.code, existsSync(file)], [1, false]);
  await run(['create', '--cidfile', file, 'x'], () => ({ status: 201, json: { Id: 'abc' } }));
  assert.equal(readFileSync(file, 'utf8'), 'abc');
  const again = await run(['create', '--cidfile', file, 'x'], nothing);
  assert.equal(
    again.err,
    `container ID file found, make sure the other container isn't running or delete ${file}\n`,
  );
  assert.equal(readFileSync(file, 'utf8'), 'abc');
});

test('a configuration that cannot be read is warned of, and the command goes on', async () => {
  const config = join(dir, 'config');
  mkdirSync(config);
  writeFileSync(join(config, 'config.json'), '{bad');
  const broken = await run(['ps', '-q'], nothing, { DOCKER_CONFIG: config });
  assert.equal(broken.code, 0);
  assert.match(broken.err, /^WARNING: Error parsing config file \(.*config\.json\): [^\n]+\n$/);
  rmSync(join(config, 'config.json'));
  mkdirSync(join(config, 'config.json'));
  const folder = await run(['ps', '-q'], nothing, { DOCKER_CONFIG: config });
  assert.match(folder.err, /^WARNING: Error parsing config file \(.*\): read .*: is a directory\n$/);
  rmSync(join(config, 'config.json'), { recursive: true });
  writeFileSync(join(config, 'config.json'), '{}');
  chmodSync(join(config, 'config.json'), 0);
  chmodSync(dir, 0o755);
  process.seteuid?.(65534);
  const unread = await run(['ps', '-q'], nothing, { DOCKER_CONFIG: config }).finally(() =>
    process.seteuid?.(0),
  );
  assert.deepEqual(
    [unread.code, unread.err],
    [0, `WARNING: Error loading config file: open ${config}/config.json: permission denied\n`],
  );
});

test('an engine that dies under a command', async () => {
  const dies: Answer = (request) =>
    /wait|logs|events/.test(request.url ?? '')
      ? { break: true, text: ' ' }
      : { json: { Id: 'abc', Config: { Tty: false } } };
  for (const args of [['wait', 'x'], ['logs', '-f', 'x'], ['events']]) {
    const { code, err } = await run(args, dies);
    assert.deepEqual([code, err], [1, 'unexpected EOF\n'], args[0]);
  }
  const { code, err } = await run(['stop', 'x'], () => ({ break: true }));
  assert.equal(code, 1);
  assert.match(err, /^error during connect: Post "http:\/\/127\.0\.0\.1:\d+\/containers\/x\/stop": EOF\n$/);
});

test('an engine that is not there', async () => {
  const { code, err } = await run(['ps'], nothing, { WHARF_HOST: 'unix:///nosock' });
  assert.deepEqual(
    [code, err],
    [1, 'Cannot connect to the Wharf daemon at unix:///nosock. Is wharfd running?\n'],
  );
});

test('certificates that cannot be used are said in one line', async () => {
  writeFileSync(join(dir, 'text'), 'text');
  const failed = async (...args: string[]) => (await run([...args, 'ps'], nothing)).err;
  const missing = 'open /nonexistent/ca.pem: no such file or directory';
  assert.equal(
    await failed('--tls'),
    `Failed to initialize: unable to resolve docker endpoint: ${missing}\n`,
  );
  assert.equal(
    await failed('--tls', '--tlscacert', dir),
    `Failed to initialize: unable to resolve docker endpoint: read ${dir}: is a directory\n`,
  );
  assert.equal(
    await failed('--tlsverify', '--tlscacert', join(dir, 'text')),
    'Failed to initialize: failed to retrieve context tls info: ca.pem seems invalid\n',
  );
});

test('the logging level and the shells of completion are checked', async () => {
  const level = await run(['-l', 'foo', 'ps'], nothing);
  assert.deepEqual([level.code, level.err], [1, 'Unable to parse logging level: foo\n']);
  assert.match((await run(['completion', 'foo'], nothing)).err, /bash, fish and zsh/);
});

test('help offers nothing that is not there', async () => {
  const { out } = await run(['--help'], nothing);
  assert.doesNotMatch(out, /^ {2}(?:build|buildx|compose) /m);
  assert.match(out, /^Not in this version: build, buildx, compose$/m);
});

/** A terminal of a size whose errors can be read. */
function fakeTerminal(): { terminal: Terminal; stderr: PassThrough } {
  const stderr = new PassThrough();
  return { terminal: { stderr, stdout: { rows: 24, columns: 80 } } as unknown as Terminal, stderr };
}

test('the third Ctrl-C ends the client', () => {
  const { terminal, stderr } = fakeTerminal();
  const sent: string[] = [];
  const left: number[] = [];
  const stop = proxySignals(
    terminal,
    async (signal) => sent.push(signal),
    (code) => left.push(code),
  );
  try {
    process.emit('SIGINT', 'SIGINT');
    process.emit('SIGTERM', 'SIGTERM');
    assert.deepEqual([sent, left], [['INT', 'TERM'], []]);
    process.emit('SIGINT', 'SIGINT');
  } finally {
    stop();
  }
  assert.deepEqual(left, [1]);
  assert.equal(String(stderr.read()), '\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n');
});

test('a redraw is provoked by a row too many', async () => {
  const sizes: unknown[] = [];
  await provokeRedraw(fakeTerminal().terminal, async (size) => sizes.push(size));
  assert.deepEqual(sizes, [{ rows: 25, columns: 80 }]);
});

test('a platform is checked here, and one that the image lacks is asked of a registry', async () => {
  const unknown = await run(['create', '--platform', 'foo', 'x'], nothing);
  assert.deepEqual(
    [unknown.code, unknown.err, unknown.asked],
    [
      1,
      'error parsing specified platform: "foo": unknown operating system or architecture: invalid argument\n',
      [],
    ],
  );
  assert.match(
    (await run(['create', '--platform', 'a/b/c/d', 'x'], nothing)).err,
    /cannot parse platform specifier/,
  );
  const { code, err, asked } = await run(['create', '--platform', 'linux/arm64', 'x'], (request) => ({
    status: 404,
    json: {
      message: request.url?.startsWith('/images')
        ? 'nowhere'
        : 'image with reference x was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)',
    },
  }));
  assert.deepEqual(
    [code, err, asked.length],
    [1, "Unable to find image 'x:latest' locally\nError response from daemon: nowhere\n", 2],
  );
});

test('rm --force tells of a container that is gone, and succeeds', async () => {
  const answer: Answer = (request) =>
    request.url?.includes('gone')
      ? { status: 404, json: { message: 'No such container: gone' } }
      : { status: 204 };
  const text = 'Error response from daemon: No such container: gone\n';
  const plain = await run(['rm', 'gone', 'a'], answer);
  assert.deepEqual([plain.code, plain.out], [1, 'a\n']);
  const forced = await run(['rm', '-f', 'gone', 'a'], answer);
  assert.deepEqual([forced.code, forced.out, forced.err], [0, 'a\n', text]);
});
