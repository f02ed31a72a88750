import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskStdio } from '../../runtime/types.ts';
import { FakeStdio } from './fake-tasks.ts';
import { LiveContainer, LiveContainers, type WaitResult } from './live.ts';
import { parseSignal } from './signals.ts';

test('waiters are told by their condition, once, and not after they left', () => {
  const live = new LiveContainer('x');
  const told: [string, WaitResult][] = [];
  const wait = (name: string, condition: 'not-running' | 'next-exit' | 'removed') =>
    live.addWaiter(condition, (result) => void told.push([name, result]));
  wait('a', 'not-running');
  wait('b', 'next-exit');
  wait('c', 'removed');
  const leave = wait('d', 'not-running');
  leave();
  leave();
  live.tellExit({ exitCode: 1 });
  assert.deepEqual(told.splice(0), [
    ['a', { exitCode: 1 }],
    ['b', { exitCode: 1 }],
  ]);
  live.tellExit({ exitCode: 2 });
  assert.deepEqual(told, []);
  live.tellRemoved({ exitCode: 3, error: 'e' });
  live.tellRemoved({ exitCode: 4 });
  assert.deepEqual(told, [['c', { exitCode: 3, error: 'e' }]]);
});

test('a waiter that waits again from its answer is not told the same exit', () => {
  const live = new LiveContainer('x');
  let calls = 0;
  const again = () => {
    calls += 1;
    if (calls < 5) live.addWaiter('removed', again);
  };
  live.addWaiter('next-exit', again);
  live.tellExit({ exitCode: 0 });
  assert.equal(calls, 1);
});

test('clients that wait for a start are let go together', () => {
  const live = new LiveContainer('x');
  const settled: (TaskStdio | undefined)[] = [new FakeStdio(), new FakeStdio()];
  for (const index of [0, 1]) {
    live.pendingAttaches.add({
      settle(stdio) {
        settled[index] = stdio;
      },
    });
  }
  live.dropPendingAttaches();
  assert.deepEqual([settled, live.pendingAttaches.size], [[undefined, undefined], 0]);
});

test('a restart is called off once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const live = new LiveContainer('x');
  let started = 0;
  live.restartTimer = setTimeout(() => {
    started += 1;
  }, 10);
  assert.deepEqual([live.cancelRestart(), live.cancelRestart()], [true, false]);
  t.mock.timers.tick(100);
  assert.deepEqual([started, live.restartTimer], [0, undefined]);
});

test('entries are made on demand and forgotten', () => {
  const all = new LiveContainers();
  assert.deepEqual([all.get('x'), all.task('x'), all.all()], [undefined, undefined, []]);
  const entry = all.of('x');
  assert.equal(all.of('x'), entry);
  assert.deepEqual(all.running(), []);
  all.forget('x');
  assert.notEqual(all.of('x'), entry);
});

test('work behind answers is awaited, also what it starts itself', async () => {
  const all = new LiveContainers();
  const order: string[] = [];
  const later = (name: string, then?: () => void) =>
    new Promise<void>((resolve) => {
      setImmediate(() => {
        order.push(name);
        then?.();
        resolve();
      });
    });
  all.behind(later('first', () => all.behind(later('second'))));
  await all.settled();
  assert.deepEqual(order, ['first', 'second']);
  await all.settled();
});

test('signals by name, with and without SIG, in any case, and by number', () => {
  const rows: [string, number][] = [
    ['TERM', 15],
    ['SIGTERM', 15],
    ['sigterm', 15],
    ['15', 15],
    ['kill', 9],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMAX', 64],
    ['rtmax-1', 63],
    ['64', 64],
  ];
  for (const [text, expected] of rows) assert.equal(parseSignal(text), expected, text);
  for (const [text, message] of [
    ['', 'invalid signal: '],
    ['0', 'invalid signal: 0'],
    ['-1', 'invalid signal: -1'],
    ['FOO', 'invalid signal: FOO'],
    ['SIGRTMIN+40', 'invalid signal: SIGRTMIN+40'],
    ['65', 'the linux daemon does not support signal 65'],
    ['99999999999999999999', 'the linux daemon does not support signal 100000000000000000000'],
  ] as const) {
    assert.throws(() => parseSignal(text), { kind: 'invalid', message }, text);
  }
});
