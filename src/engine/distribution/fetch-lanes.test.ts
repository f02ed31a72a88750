import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '../../base/index.ts';
import { Lanes } from './fetch-lanes.ts';

const later = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Work that runs until it is told to end, and says so. */
function workOn(lanes: Lanes) {
  const log: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const start = (name: string, signal?: AbortSignal) => {
    const gate = Promise.withResolvers<void>();
    gates.set(name, gate);
    const work = async () => {
      log.push(`+${name}`);
      await gate.promise;
      log.push(`-${name}`);
    };
    return lanes.run(work, signal, () => log.push(`?${name}`));
  };
  return { log, start, end: (name: string) => gates.get(name)?.resolve() };
}

test('so many run at once, the others in order of arrival', async () => {
  const { log, start, end } = workOn(new Lanes(() => 2));
  const all = ['a', 'b', 'c', 'd'].map((name) => start(name));
  await later();
  assert.deepEqual(log.splice(0), ['+a', '+b', '?c', '?d']);
  end('b');
  await later();
  assert.deepEqual(log.splice(0), ['-b', '+c']);
  for (const name of ['a', 'c', 'd']) end(name);
  await Promise.all(all);
  assert.deepEqual(log, ['-a', '-c', '+d', '-d']);
});

test('who gives up while waiting takes no lane; failing work gives its own back', async () => {
  const lanes = new Lanes(() => 1);
  const { log, start, end } = workOn(lanes);
  const giving = new AbortController();
  const first = start('a');
  const second = start('b', giving.signal);
  giving.abort();
  await assert.rejects(second, (thrown) => isKind(thrown, 'cancelled'));
  const third = start('c', AbortSignal.abort());
  await assert.rejects(third, (thrown) => isKind(thrown, 'cancelled'));
  end('a');
  await first;
  const failing = lanes.run(() => Promise.reject(new Error('no')));
  await assert.rejects(failing, /no/);
  const fourth = start('d');
  await later();
  end('d');
  await fourth;
  assert.deepEqual(log, ['+a', '?b', '?c', '-a', '+d', '-d']);
});

test('a limit that grows is used at the next end, and one of zero counts as one', async () => {
  let limit = 0;
  const { log, start, end } = workOn(new Lanes(() => limit));
  const all = ['a', 'b', 'c'].map((name) => start(name));
  await later();
  assert.deepEqual(log.splice(0), ['+a', '?b', '?c']);
  limit = 5;
  end('a');
  await later();
  assert.deepEqual(log, ['-a', '+b', '+c']);
  for (const name of ['b', 'c']) end(name);
  await Promise.all(all);
});

test('nobody slips in before those who were woken', async () => {
  const { log, start, end } = workOn(new Lanes(() => 1));
  const first = start('a');
  const second = start('b');
  await later();
  end('a');
  await first;
  const third = start('c');
  await later();
  assert.deepEqual(log, ['+a', '?b', '-a', '+b', '?c']);
  end('b');
  await later();
  end('c');
  await Promise.all([second, third]);
});
