import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventMessage } from '../../api/index.ts';
import { isKind } from '../../base/index.ts';
import { createEventBus, type EngineEvent } from './index.ts';

const event = (id: string, action = 'start'): EngineEvent => ({
  type: 'container',
  action,
  id,
  attributes: { image: 'busybox', name: `n-${id}` },
});

function fixedClock(start = 5_000_000_000n) {
  return {
    now: start,
    nowNanos() {
      return this.now;
    },
  };
}

async function take(stream: AsyncIterable<EventMessage>, count: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const one of stream) {
    seen.push(one.Actor?.ID ?? '');
    if (seen.length === count) break;
  }
  return seen;
}

test('a container event has the legacy fields, others have not', async () => {
  const bus = createEventBus(fixedClock());
  const stream = bus.subscribe({}, new AbortController().signal);
  bus.publish(event('a'));
  bus.publish({ type: 'network', action: 'connect', id: 'n', attributes: { name: 'bridge' } });
  const seen: EventMessage[] = [];
  for await (const one of stream) if (seen.push(one) === 2) break;
  assert.deepEqual(seen[0], {
    status: 'start',
    id: 'a',
    from: 'busybox',
    Type: 'container',
    Action: 'start',
    Actor: { ID: 'a', Attributes: { image: 'busybox', name: 'n-a' } },
    scope: 'local',
    time: 5,
    timeNano: 5_000_000_000,
  });
  assert.deepEqual(Object.keys(seen[1] ?? {}), ['Type', 'Action', 'Actor', 'scope', 'time', 'timeNano']);
});

test('since replays, then goes on live; until ends a closed range', async () => {
  const clock = fixedClock();
  const bus = createEventBus(clock);
  bus.publish(event('old'));
  clock.now = 10_000_000_000n;
  bus.publish(event('mid'));
  const live = bus.subscribe({ since: 9_000_000_000n }, new AbortController().signal);
  bus.publish(event('new'));
  assert.deepEqual(await take(live, 2), ['mid', 'new']);
  clock.now = 20_000_000_000n;
  const closed = bus.subscribe({ since: 0n, until: 11_000_000_000n }, new AbortController().signal);
  assert.deepEqual(await take(closed, 99), ['old', 'mid', 'new']);
});

test('the ring keeps 1,024 events', async () => {
  const clock = fixedClock();
  const bus = createEventBus(clock);
  for (let n = 0; n < 1_100; n++) bus.publish(event(String(n)));
  clock.now += 1_000_000_000n;
  const seen = await take(
    bus.subscribe({ since: 0n, until: clock.now }, new AbortController().signal),
    2_000,
  );
  assert.equal(seen.length, 1_024);
  assert.equal(seen.at(-1), '1099');
});

test('a slow subscriber is cut off, a quick one is not', async () => {
  const bus = createEventBus(fixedClock());
  const slow = bus.subscribe({}, new AbortController().signal);
  for (let n = 0; n < 4_097; n++) bus.publish(event(String(n)));
  await assert.rejects(take(slow, 9_999), (thrown) => isKind(thrown, 'unavailable'));
});

test('abort ends a waiting subscriber', async () => {
  const bus = createEventBus(fixedClock());
  const abort = new AbortController();
  const all = take(bus.subscribe({}, abort.signal), 1);
  setImmediate(() => abort.abort());
  assert.deepEqual(await all, []);
});
