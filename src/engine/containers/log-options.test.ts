import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from './lifecycle.cases.ts';
import { startContainer } from './lifecycle.ts';
import { checkLogOptions, checkLogServer, logTag } from './log-options.ts';

const OPTIONS = { 'max-size': '1m', 'max-file': '3' };

function withOptions(Config: Record<string, string>, Type = 'json-file') {
  return { hostConfig: { LogConfig: { Type, Config } } };
}

test('a log is kept below its size while its container runs', async () => {
  await using world = new World();
  const { id, logPath } = world.add(withOptions(OPTIONS));
  await startContainer(world.deps, id);
  const policy = { maxBytes: 1_000_000, maxFiles: 3, compress: false };
  assert.deepEqual([...world.boundedLogs], [[logPath, policy]]);
  world.tasks.of(id).exit(0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(world.boundedLogs.size, 0);
});

test('a log without a size is bounded, and one without an end is watched only', async () => {
  await using world = new World();
  for (const [options, bounds] of [
    [{}, { maxBytes: 20_971_520, maxFiles: 5, compress: true }],
    [{ 'max-size': '-1' }, { maxBytes: Number.POSITIVE_INFINITY, maxFiles: 1, compress: false }],
  ] as const) {
    const { id, logPath } = world.add(withOptions(options));
    await startContainer(world.deps, id);
    assert.deepEqual(world.boundedLogs.get(logPath), bounds);
    world.tasks.of(id).exit(0);
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test('what goes to a server is shipped as its options say, until the container has ended', async () => {
  await using world = new World();
  const options = { 'syslog-address': 'udp://127.0.0.1:9', labels: 'team', tag: '{{.Name}}' };
  const { id, logPath } = world.add({
    ...withOptions(options, 'syslog'),
    name: '/web',
    config: { Labels: { team: 'blue', zoo: '1' }, Env: ['A=1'] },
  });
  await startContainer(world.deps, id);
  const [shipped] = world.shippedLogs;
  assert.deepEqual([shipped?.logPath, shipped?.driver, shipped?.options], [logPath, 'syslog', options]);
  assert.deepEqual([shipped?.source.tag, shipped?.source.name], ['web', 'web']);
  assert.deepEqual([...(shipped?.source.attributes ?? [])], [['team', 'blue']]);
  assert.deepEqual(world.finishedLogs, []);
  world.tasks.of(id).exit(0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(world.finishedLogs, [logPath]);
});

test('a log server that is not there refuses a start, but not the one that a restart policy asks for', async () => {
  await using world = new World();
  const record = world.add(withOptions({ 'gelf-address': 'tcp://127.0.0.1:1' }, 'gelf'));
  const why =
    'failed to create task for container: failed to initialize logging driver: gelf: cannot connect to GELF endpoint: 127.0.0.1:1 dial tcp 127.0.0.1:1: connect: connection refused';
  await assert.rejects(startContainer(world.deps, record.id), { message: why });
  await assert.rejects(checkLogServer(record, undefined), { message: why });
  record.state.status = 'restarting';
  await checkLogServer(record, undefined);
});

test('options that make no sense are told at the start, in the words of the reference', async () => {
  await using world = new World();
  const { id } = world.add(withOptions({ 'max-size': 'abc' }));
  const text = 'failed to create task for container: failed to initialize logging driver: ';
  await assert.rejects(startContainer(world.deps, id), { message: `${text}invalid size: 'abc'` });
  assert.equal(world.tasks.tasks.size, 0);
  for (const [config, why] of [
    [{ tag: '{{.Foo}}' }, /can't evaluate field Foo/],
    [{ compress: 'x' }, /ParseBool/],
  ] as const) {
    assert.throws(() => checkLogOptions(world.add(withOptions(config))), why);
  }
});

test('a tag names the container', async () => {
  await using world = new World();
  const record = world.add({ name: '/web', path: 'echo', args: ['hi', 'there'] });
  assert.equal(logTag(record, '{{.Name}}: {{.Command}}'), 'web: echo hi there');
  assert.equal(logTag(record, '{{.ID}}'), record.id.slice(0, 12));
});
