import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import type { EventMessage } from '../../api/index.ts';
import { isKind } from '../../base/index.ts';
import { createEventBus, type EngineEvent } from './index.ts';

const event = (id: string): EngineEvent => ({ type: 'container', action: 'start', id, attributes: {} });
const SECOND = 1_000_000_000n;

function clockAt(now: bigint) {
  return {
    now,
    nowNanos() {
      return this.now;
    },
  };
}

async function all(stream: AsyncIterable<EventMessage>): Promise<EventMessage[]> {
  const seen: EventMessage[] = [];
  for await (const one of stream) seen.push(one);
  return seen;
}

const idsOf = (messages: EventMessage[]) => messages.map((one) => one.Actor?.ID);

test('times are never the same and never go back, whatever the clock does', async () => {
  const clock = clockAt(10n * SECOND);
  const bus = createEventBus(clock);
  for (const id of ['a', 'b', 'c']) bus.publish(event(id));
  clock.now = 5n * SECOND;
  bus.publish(event('d'));
  clock.now = 20n * SECOND;
  bus.publish(event('e'));
  const seen = await all(bus.subscribe({ since: 0n, until: 20n * SECOND }, new AbortController().signal));
  assert.deepEqual(idsOf(seen), ['a', 'b', 'c', 'd', 'e']);
  const times = seen.map((one) => one.timeNano ?? 0);
  assert.deepEqual(times, [10_000_000_000, 10_000_000_001, 10_000_000_002, 10_000_000_003, 20_000_000_000]);
  assert.equal(seen[3]?.time, 10);
});

test('since and until take both ends in', async () => {
  const clock = clockAt(0n);
  const bus = createEventBus(clock);
  for (const second of [1n, 2n, 3n, 4n]) {
    clock.now = second * SECOND;
    bus.publish(event(String(second)));
  }
  clock.now = 9n * SECOND;
  const between = (since: bigint | undefined, until: bigint) =>
    all(
      bus.subscribe({ ...(since === undefined ? {} : { since }), until }, new AbortController().signal),
    ).then(idsOf);
  assert.deepEqual(await between(2n * SECOND, 3n * SECOND), ['2', '3']);
  assert.deepEqual(await between(2n * SECOND + 1n, 3n * SECOND - 1n), []);
  assert.deepEqual(
    await between(undefined, 2n * SECOND),
    ['1', '2'],
    'until alone is a closed range from the start',
  );
  assert.deepEqual(await between(5n * SECOND, 8n * SECOND), []);
});

test('a range that ends in the future takes what comes and then ends by itself', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const clock = clockAt(SECOND);
  const bus = createEventBus(clock);
  const stream = all(bus.subscribe({ until: 3n * SECOND }, new AbortController().signal));
  await new Promise((resolve) => setImmediate(resolve));
  clock.now = 2n * SECOND;
  bus.publish(event('in'));
  await new Promise((resolve) => setImmediate(resolve));
  clock.now = 4n * SECOND;
  t.mock.timers.tick(3_000);
  assert.deepEqual(idsOf(await stream), ['in']);
});

test('an event after the end of the range ends the stream and is not told', async () => {
  const clock = clockAt(SECOND);
  const bus = createEventBus(clock);
  const stream = all(bus.subscribe({ until: 3n * SECOND }, new AbortController().signal));
  await new Promise((resolve) => setImmediate(resolve));
  clock.now = 2n * SECOND;
  bus.publish(event('in'));
  clock.now = 5n * SECOND;
  bus.publish(event('out'));
  assert.deepEqual(idsOf(await stream), ['in']);
});

test('what is published between subscribing and the first read is there', async () => {
  const bus = createEventBus(clockAt(1n));
  const stream = bus.subscribe({}, new AbortController().signal);
  bus.publish(event('early'));
  const iterator = stream[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).value?.Actor?.ID, 'early');
  await iterator.return?.(undefined);
});

test('subscribers see the same order, and one that leaves takes nothing from the others', async () => {
  const bus = createEventBus(clockAt(1n));
  const ends = [new AbortController(), new AbortController(), new AbortController()];
  const streams = ends.map((end) => all(bus.subscribe({}, end.signal)));
  for (let n = 0; n < 100; n += 1) bus.publish(event(String(n)));
  await new Promise((resolve) => setImmediate(resolve));
  ends[0]?.abort();
  bus.publish(event('more'));
  await new Promise((resolve) => setImmediate(resolve));
  for (const end of ends) end.abort();
  const [first, second, third] = (await Promise.all(streams)).map(idsOf);
  assert.deepEqual([first?.length, second?.length], [100, 101]);
  assert.deepEqual(second, third);
  assert.deepEqual(second?.slice(0, 100), first);
});

test('a subscriber that goes leaves no listener, however it goes', async () => {
  const bus = createEventBus(clockAt(SECOND));
  const end = new AbortController();
  const listeners = () => getEventListeners(end.signal, 'abort').length;
  await all(bus.subscribe({ until: SECOND }, end.signal));
  assert.equal(listeners(), 0, 'a closed range');
  bus.publish(event('a'));
  for await (const _ of bus.subscribe({ since: 0n }, end.signal)) break;
  assert.equal(listeners(), 0, 'a reader that breaks off');
  const slow = bus.subscribe({}, end.signal);
  for (let n = 0; n < 4_097; n += 1) bus.publish(event(String(n)));
  await assert.rejects(all(slow), (thrown) => isKind(thrown, 'unavailable'));
  assert.equal(listeners(), 0, 'one that was cut off');
  const waiting = all(bus.subscribe({}, end.signal));
  await new Promise((resolve) => setImmediate(resolve));
  end.abort();
  assert.deepEqual(await waiting, []);
  assert.equal(listeners(), 0, 'one that was called off');
});

test('exactly 4,096 events behind is not too slow', async () => {
  const bus = createEventBus(clockAt(1n));
  const end = new AbortController();
  const stream = bus.subscribe({}, end.signal);
  for (let n = 0; n < 4_096; n += 1) bus.publish(event(String(n)));
  let seen = 0;
  for await (const _ of stream) {
    seen += 1;
    if (seen === 4_096) break;
  }
  assert.equal(seen, 4_096);
});

test('a subscription whose signal has fired before is over at once', async () => {
  const bus = createEventBus(clockAt(1n));
  bus.publish(event('a'));
  assert.deepEqual(await all(bus.subscribe({ since: 0n }, AbortSignal.abort())), []);
});

test('the wire form by type', async () => {
  const bus = createEventBus(clockAt(SECOND));
  const attributes = { image: 'busybox', name: 'n' };
  for (const type of ['container', 'image', 'network', 'volume', 'daemon', 'builder'] as const) {
    bus.publish({ type, action: 'act', id: 'x', attributes });
  }
  bus.publish({ type: 'container', action: 'act', id: 'y', attributes: {} });
  const seen = await all(bus.subscribe({ since: 0n, until: SECOND }, new AbortController().signal));
  const legacy = seen.map((one) => ['status', 'id', 'from'].filter((field) => field in one));
  assert.deepEqual(
    legacy,
    [['status', 'id', 'from']],
    'later ones are after the range: each nanosecond has one event',
  );
  const rest = bus.subscribe({ since: 0n, until: SECOND + 10n }, AbortSignal.timeout(50));
  const fields: Record<string, string[]> = {};
  for await (const one of rest) {
    fields[`${one.Type} ${one.Actor?.ID}`] = ['status', 'id', 'from'].filter((field) => field in one);
  }
  assert.deepEqual(fields, {
    'container x': ['status', 'id', 'from'],
    'image x': ['status', 'id'],
    'network x': [],
    'volume x': [],
    'daemon x': [],
    'builder x': [],
    'container y': ['status', 'id'],
  });
});
