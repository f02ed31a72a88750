import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { abortable, deadline, KeyedLock, mapLimit } from './async.ts';
import { isKind } from './errors.ts';

describe('KeyedLock', () => {
  it('runs work of one key one after the other, in order, and other keys freely', async () => {
    const lock = new KeyedLock();
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = lock.with('a', async () => {
      seen.push('a1');
      await gate.promise;
      seen.push('a1 done');
    });
    const others = ['a2', 'a3'].map((name) => lock.with('a', async () => void seen.push(name)));
    await lock.with('b', async () => void seen.push('b'));
    assert.deepEqual(seen, ['a1', 'b']);
    gate.resolve();
    await Promise.all([first, ...others]);
    assert.deepEqual(seen, ['a1', 'b', 'a1 done', 'a2', 'a3']);
  });

  it('is free again after an error, and hands the result out', async () => {
    const lock = new KeyedLock();
    const failing = lock.with('a', async () => {
      throw new Error('inside');
    });
    const next = lock.with('a', async () => 5);
    await assert.rejects(failing, /inside/);
    assert.equal(await next, 5);
    assert.equal(lock.held('a'), false);
  });

  it('says held while work runs or waits', async () => {
    const lock = new KeyedLock();
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const works = gates.map(({ promise }) => lock.with('a', () => promise));
    assert.deepEqual([lock.held('a'), lock.held('b')], [true, false]);
    gates[0]?.resolve();
    await works[0];
    assert.equal(lock.held('a'), true);
    gates[1]?.resolve();
    await works[1];
    assert.equal(lock.held('a'), false);
  });
});

describe('deadline', () => {
  it('passes the result and the error of work in time', async () => {
    assert.equal(await deadline(60_000, 'work', Promise.resolve(1)), 1);
    await assert.rejects(deadline(60_000, 'work', Promise.reject(new Error('own'))), /own/);
  });

  it('rejects with timeout and names the work', async () => {
    await assert.rejects(
      deadline(1, 'the answer', new Promise(() => {})),
      (e) => isKind(e, 'timeout') && /the answer took more than 1 ms/.test((e as Error).message),
    );
  });
});

describe('abortable', () => {
  it('passes the work through and leaves no listener', async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    assert.equal(await abortable(Promise.resolve(1), signal), 1);
    await assert.rejects(abortable(Promise.reject(new Error('own')), signal), /own/);
    assert.equal(listeners, 0);
    assert.equal(await abortable(Promise.resolve(2), undefined), 2);
  });

  it('rejects at once when the signal fires, or has fired', async () => {
    const controller = new AbortController();
    const waiting = abortable(new Promise(() => {}), controller.signal);
    controller.abort();
    await assert.rejects(waiting, (e) => isKind(e, 'cancelled'));
    await assert.rejects(abortable(Promise.resolve(1), controller.signal), (e) => isKind(e, 'cancelled'));
  });
});

describe('work that nobody waits for', () => {
  it('may fail later without ending the process', async (t) => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', listener);
    t.after(() => process.off('unhandledRejection', listener));
    const gates = Array.from({ length: 3 }, () => Promise.withResolvers<never>());
    const [late, cancelled, never] = gates.map(({ promise }) => promise) as [
      Promise<never>,
      Promise<never>,
      Promise<never>,
    ];
    const controller = new AbortController();
    const waiting = abortable(cancelled, controller.signal);
    controller.abort();
    await assert.rejects(waiting, (e) => isKind(e, 'cancelled'));
    await assert.rejects(deadline(1, 'it', late), (e) => isKind(e, 'timeout'));
    await assert.rejects(abortable(never, controller.signal), (e) => isKind(e, 'cancelled'));
    for (const { reject } of gates) reject(new Error('too late'));
    await turn();
    await turn();
    assert.deepEqual(unhandled, []);
  });

  it('of mapLimit: no item is begun after all lanes failed, and no other error surfaces', async () => {
    const begun: number[] = [];
    const work = mapLimit([1, 2, 3, 4, 5, 6], 2, async (item) => {
      begun.push(item);
      throw new Error(`item ${item}`);
    });
    await assert.rejects(work, /item 1/);
    assert.deepEqual(begun, [1, 2]);
  });
});

describe('mapLimit', () => {
  it('keeps the order of the items and the limit', async () => {
    let running = 0;
    let most = 0;
    const results = await mapLimit([5, 1, 3, 2, 4], 2, async (item) => {
      running += 1;
      most = Math.max(most, running);
      for (let left = item; left > 0; left--) await turn();
      running -= 1;
      return item * 10;
    });
    assert.deepEqual(results, [50, 10, 30, 20, 40]);
    assert.equal(most, 2);
    assert.deepEqual(await mapLimit([], 4, async () => 1), []);
  });

  it('rejects with the first error', async () => {
    const work = mapLimit([1, 2, 3], 1, async (item) => {
      if (item === 2) throw new Error(`item ${item}`);
    });
    await assert.rejects(work, /item 2/);
  });
});
