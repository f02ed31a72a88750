import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from './lifecycle.cases.ts';
import { startContainer } from './lifecycle.ts';
import { checkLogOptions, logTag } from './log-options.ts';

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

test('a log without a size is left alone', async () => {
  await using world = new World();
  const { id } = world.add(withOptions({}));
  await startContainer(world.deps, id);
  assert.equal(world.boundedLogs.size, 0);
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
