import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from './lifecycle.cases.ts';
import { killContainer, startContainer, stopContainer } from './lifecycle.ts';
import { parseSignal, stopSignalOf } from './signals.ts';

test('signals by name and number, in the texts of the reference', () => {
  assert.deepEqual(['TERM', 'SIGTERM', 'sigterm', '15'].map(parseSignal), [15, 15, 15, 15]);
  assert.equal(parseSignal('64'), 64);
  for (const [text, message] of [
    ['0', 'invalid signal: 0'],
    ['65', 'the linux daemon does not support signal 65'],
    ['NONSENSE', 'invalid signal: NONSENSE'],
  ] as const)
    assert.throws(() => parseSignal(text), { kind: 'invalid', message });
});

test('a stop signal that means nothing is SIGTERM: an image can not make its containers unstoppable', async () => {
  assert.deepEqual([stopSignalOf({}), stopSignalOf({ StopSignal: 'SIGQUIT' })], [15, 3]);
  await using world = new World();
  const record = world.add();
  record.config.StopSignal = 'NONSENSE';
  await startContainer(world.deps, record.id);
  const task = world.tasks.of(record.id);
  await killContainer(world.deps, record.id, 'HUP');
  assert.equal(record.state.manuallyStopped, false);
  await stopContainer(world.deps, record.id, { timeoutSeconds: 0 });
  assert.deepEqual(task.signals.slice(0, 2), [1, 15]);
  assert.equal(record.state.status, 'exited');
});
