import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { FakeSession } from './testing/fake-backends.ts';
import { ServerFixture } from './testing/fixture.ts';

const ID = 'c'.repeat(64);
const skip = spawnSync('docker', ['--version']).status === 0 ? false : 'the docker client is not installed';

/** Runs the stock client against the fixture. */
async function docker(fixture: ServerFixture, args: string[], input = '') {
  const child = spawn('docker', ['-H', `unix://${fixture.path}`, ...args], { timeout: 10_000 });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  child.stdin.on('error', () => undefined).end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

test('the stock client reads versions, lists and errors', { skip }, async () => {
  await using fixture = await ServerFixture.start({
    containers: {
      list: async () => [
        {
          Id: ID,
          Names: ['/web'],
          Image: 'busybox',
          Command: 'sh',
          Created: 1,
          State: 'running',
          Status: 'Up',
          Ports: [],
        },
      ],
    },
  });
  const version = await docker(fixture, [
    'version',
    '--format',
    '{{.Server.Version}} {{.Server.APIVersion}}',
  ]);
  assert.deepEqual([version.code, version.stdout], [0, '0.1.0 1.51\n'], version.stderr);
  const ps = await docker(fixture, ['ps', '--format', '{{.ID}} {{.Names}}']);
  assert.deepEqual([ps.code, ps.stdout], [0, 'cccccccccccc web\n'], ps.stderr);
  assert.equal((await docker(fixture, ['volume', 'create', 'data'])).stdout, 'data\n');
  const none = await docker(fixture, ['start', 'none']);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /Error response from daemon: No such container: none/);
  const swarm = await docker(fixture, ['node', 'ls']);
  assert.match(swarm.stderr, /This node is not a swarm manager/);
});

test('the stock client execs with input, and loads', { skip }, async () => {
  const session = new FakeSession(false);
  session.onEnd = () => {
    session.push('stdout', Buffer.concat(session.received).toString().toUpperCase());
    session.push('stderr', 'to stderr\n');
    session.finish();
  };
  let loaded = 0;
  await using fixture = await ServerFixture.start({
    containers: { inspect: async () => ({ Id: ID, State: { Running: true }, Config: { Tty: false } }) },
    execs: {
      start: async () => session,
      inspect: async (id) => ({ ID: id, ContainerID: ID, Running: false, ExitCode: 3, Pid: 0 }),
    },
    images: {
      async *load(archive) {
        for await (const chunk of archive) loaded += (chunk as Buffer).length;
        yield { stream: 'Loaded image: a:latest\n' };
      },
    },
  });
  const exec = await docker(fixture, ['exec', '-i', 'web', 'cat'], 'hello\n');
  assert.deepEqual(exec, { code: 3, stdout: 'HELLO\n', stderr: 'to stderr\n' });
  const load = await docker(fixture, ['load'], 'x'.repeat(300_000));
  assert.deepEqual([load.stdout, loaded], ['Loaded image: a:latest\n', 300_000], load.stderr);
});
