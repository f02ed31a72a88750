import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { World } from './lifecycle.cases.ts';
import {
  killContainer,
  removeContainer,
  restartContainer,
  startContainer,
  stopContainer,
  waitContainer,
} from './lifecycle.ts';
import type { WaitCondition } from './session.ts';

/** A wait whose answer, if it has come, is in `answer`. */
async function waiting(world: World, ref: string, condition: WaitCondition, signal?: AbortSignal) {
  const { done } = await waitContainer(world.deps, ref, condition, signal);
  const seen: { answer: unknown } = { answer: undefined };
  void done.then((answer) => {
    seen.answer = answer;
  });
  return seen;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const REMOVE = { volumes: false, force: true, link: false };

test('not-running answers at once for what never ran, has ended, or could not start', async () => {
  await using world = new World();
  const fresh = world.add();
  assert.deepEqual(await (await waitContainer(world.deps, fresh.id, 'not-running')).done, { exitCode: 0 });
  Object.assign(fresh.state, { status: 'exited', exitCode: 127, error: 'no program' });
  assert.deepEqual(await (await waitContainer(world.deps, fresh.id, 'not-running')).done, {
    exitCode: 127,
    error: 'no program',
  });
  await assert.rejects(waitContainer(world.deps, 'nosuch', 'removed'), {
    message: 'No such container: nosuch',
  });
});

test('a paused and a restarting container count as running', async () => {
  await using world = new World();
  for (const status of ['paused', 'restarting'] as const) {
    const record = world.add();
    record.state.status = status;
    const seen = await waiting(world, record.id, 'not-running');
    await turn();
    assert.equal(seen.answer, undefined, status);
  }
});

test('an exit between finding and waiting is not missed', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const found = waitContainer(world.deps, record.id, 'not-running');
  world.tasks.of(record.id).exit(6);
  assert.deepEqual(await (await found).done, { exitCode: 6 });
  // Asked once more, now that it has ended.
  assert.deepEqual(await (await waitContainer(world.deps, record.id, 'not-running')).done, { exitCode: 6 });
});

test('next-exit waits for an exit to come, not for the last one', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  world.tasks.of(record.id).exit(1);
  await world.live.get(record.id)?.exitHandled;
  const seen = await waiting(world, record.id, 'next-exit');
  await turn();
  assert.equal(seen.answer, undefined);
  await startContainer(world.deps, record.id);
  await turn();
  assert.equal(seen.answer, undefined);
  world.tasks.of(record.id).exit(2);
  await world.live.get(record.id)?.exitHandled;
  await turn();
  assert.deepEqual(seen.answer, { exitCode: 2 });
});

test('removed survives exits and restarts', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const removed = await waiting(world, record.id, 'removed');
  const next = await waiting(world, record.id, 'next-exit');
  await restartContainer(world.deps, record.id, {});
  await turn();
  assert.deepEqual([removed.answer, next.answer], [undefined, { exitCode: 143 }]);
  await stopContainer(world.deps, record.id, {});
  await turn();
  assert.equal(removed.answer, undefined);
  await removeContainer(world.deps, record.id, REMOVE);
  await turn();
  assert.deepEqual(removed.answer, { exitCode: 143 });
});

test('all conditions are answered by the removal of a container that never ran', async () => {
  await using world = new World();
  const record = world.add();
  const seen = await Promise.all(
    (['next-exit', 'removed'] as const).map((condition) => waiting(world, record.id, condition)),
  );
  await removeContainer(world.deps, record.id, { ...REMOVE, force: false });
  await turn();
  assert.deepEqual(seen, [{ answer: { exitCode: 0 } }, { answer: { exitCode: 0 } }]);
});

test('many wait for one exit, each is told once', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const waits = await Promise.all(
    Array.from({ length: 20 }, () => waitContainer(world.deps, record.id, 'not-running')),
  );
  await killContainer(world.deps, record.id, 'KILL');
  const answers = await Promise.all(waits.map(({ done }) => done));
  assert.deepEqual(new Set(answers.map((one) => one.exitCode)), new Set([137]));
});

test('a client that goes holds nothing, and one that was answered leaves no listener', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const gone = new AbortController();
  const stays = new AbortController();
  const lost = await waiting(world, record.id, 'not-running', gone.signal);
  const told = await waiting(world, record.id, 'not-running', stays.signal);
  gone.abort();
  world.tasks.of(record.id).exit(0);
  await world.live.get(record.id)?.exitHandled;
  await turn();
  assert.equal(lost.answer, undefined);
  assert.deepEqual(told.answer, { exitCode: 0 });
  assert.equal(getEventListeners(stays.signal, 'abort').length, 0);
});

test('the answer of a wait is in the record before it is told', async () => {
  await using world = new World();
  const record = world.add();
  await startContainer(world.deps, record.id);
  const { done } = await waitContainer(world.deps, record.id, 'not-running');
  const status = done.then(() => [
    record.state.status,
    record.state.exitCode,
    record.state.pid,
    world.store.saves,
  ]);
  world.tasks.of(record.id).exit(9);
  assert.deepEqual(await status, ['exited', 9, 0, 2]);
});
