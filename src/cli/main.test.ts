import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Answer, runAgainst as run } from './fake-engine.ts';
import { COMMANDS } from './registry.ts';
import { VERSION } from './version.ts';

const nothing: Answer = () => ({ json: [] });

test('ps prints its headers when there is nothing', async () => {
  const { code, out, asked } = await run(['ps'], nothing);
  assert.deepEqual(
    [code, out],
    [0, 'CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n'],
  );
  assert.deepEqual(asked, ['GET /containers/json']);
});

test("an engine's error is said to be the engine's", async () => {
  const { code, err } = await run(['rm', 'x'], () => ({
    status: 404,
    json: { message: 'No such container: x' },
  }));
  assert.deepEqual([code, err], [1, 'Error response from daemon: No such container: x\n']);
});

test('errors of the command line have their texts and exit codes', async () => {
  const flag = await run(['run', '--foo', 'x'], nothing);
  assert.deepEqual(
    [flag.code, flag.err],
    [
      125,
      "unknown flag: --foo\n\nUsage:  wharf run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'wharf run --help' for more information\n",
    ],
  );
  const operands = await run(['ps', 'x'], nothing);
  assert.deepEqual(
    [operands.code, operands.err],
    [
      1,
      "wharf: 'wharf ps' accepts no arguments\n\nUsage:  wharf ps [OPTIONS]\n\nRun 'wharf ps --help' for more information\n",
    ],
  );
  assert.equal((await run(['nosuch'], nothing)).code, 1);
  assert.match((await run(['buildx', 'build'], nothing)).err, /is not in this version; use "wharf load"/);
});

test('create sends what the flags say', async () => {
  let sent: Record<string, unknown> = {};
  const args = [
    'create',
    '--name',
    'n',
    '-e',
    'A=1',
    '-p',
    '8080:80',
    '-m',
    '64m',
    '--restart',
    'on-failure:3',
    'busybox',
    'sh',
    '-c',
    'x',
  ];
  const { code, out, asked } = await run(args, (_request, body) => {
    sent = JSON.parse(body) as Record<string, unknown>;
    return { status: 201, json: { Id: 'abc', Warnings: [] } };
  });
  assert.deepEqual([code, out, asked], [0, 'abc\n', ['POST /containers/create?name=n']]);
  const host = sent['HostConfig'] as Record<string, unknown>;
  assert.deepEqual([sent['Image'], sent['Cmd'], sent['Env']], ['busybox', ['sh', '-c', 'x'], ['A=1']]);
  assert.deepEqual(
    [host['Memory'], host['RestartPolicy'], host['PortBindings']],
    [
      67108864,
      { Name: 'on-failure', MaximumRetryCount: 3 },
      { '80/tcp': [{ HostIp: '', HostPort: '8080' }] },
    ],
  );
});

test('inspect keeps the document as it came', async () => {
  const { out } = await run(['container', 'inspect', 'x'], () => ({
    text: '{"Id":"x","N":9223372036854775807,"L":[]}\n',
  }));
  assert.equal(
    out,
    '[\n    {\n        "Id": "x",\n        "N": 9223372036854775807,\n        "L": []\n    }\n]\n',
  );
});

test('doctor fails when a promise is broken', async () => {
  const broken = await run(['doctor', '--verify'], () => ({
    json: { ok: false, findings: [{ check: 'mounts', problem: 'a mount too many' }] },
  }));
  assert.deepEqual([broken.code, broken.out], [1, 'mounts: a mount too many\n']);
  assert.equal((await run(['doctor', '--verify'], () => ({ json: { ok: true, findings: [] } }))).code, 0);
});

test('every command loads and has help', async () => {
  for (const each of COMMANDS) {
    const { command } = await each.load();
    const names = command.flags.map((flag) => flag.name);
    assert.equal(new Set(names).size, names.length, each.names[0]);
    if (each.summary === '') continue;
    const { code, out } = await run([...(each.names[0] ?? '').split(' '), '--help'], nothing);
    assert.equal(code, 0);
    assert.match(out, /^Usage: {2}wharf /);
  }
});

test('the version is that of package.json', () => {
  const file = new URL('../../package.json', import.meta.url);
  assert.equal((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version, VERSION);
});
