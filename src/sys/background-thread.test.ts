import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { BackgroundThread } from './background-thread.ts';

/** A thread that answers `echo`, and breaks or ends when it is told so. */
const MODULE = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', (message) => {
      if (message === 'break') throw new Error('broken');
      if (message === 'exit') process.exit(0);
      parentPort.postMessage(message);
    });
  `)}`,
);

interface Started {
  thread: BackgroundThread<unknown, unknown>;
  next: () => Promise<unknown>;
  ended: Promise<unknown>;
  ends: () => number;
}

function start(): Started {
  const ended = Promise.withResolvers<unknown>();
  let answer = Promise.withResolvers<unknown>();
  let ends = 0;
  const thread = new BackgroundThread<unknown, unknown>(MODULE, {
    message: (message) => answer.resolve(message),
    end: (reason) => {
      ends++;
      ended.resolve(reason);
    },
  });
  const next = async () => {
    const message = await answer.promise;
    answer = Promise.withResolvers();
    return message;
  };
  return { thread, next, ended: ended.promise, ends: () => ends };
}

/** An idle thread is given up after 20 s, which pass at once. */
function restForLong(thread: BackgroundThread<unknown, unknown>): void {
  mock.timers.enable({ apis: ['setTimeout'] });
  thread.rest();
  mock.timers.tick(20_000);
}

describe('a background thread', () => {
  afterEach(() => mock.timers.reset());

  it('answers, takes buffers over, and ends once, without a reason, when it was idle for long', async () => {
    const { thread, next, ended, ends } = start();
    thread.work();
    thread.post('first');
    assert.equal(await next(), 'first');
    const { buffer } = new Uint8Array([1, 2, 3]);
    thread.post(new Uint8Array(buffer), [buffer]);
    assert.deepEqual(await next(), new Uint8Array([1, 2, 3]));
    assert.equal(buffer.byteLength, 0);
    restForLong(thread);
    assert.equal(await ended, undefined);
    mock.timers.reset();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(ends(), 1);
  });

  it('is kept when there is work again before that', async () => {
    const { thread, next, ends } = start();
    mock.timers.enable({ apis: ['setTimeout'] });
    thread.rest();
    mock.timers.tick(19_999);
    thread.work();
    mock.timers.tick(19_999);
    assert.equal(ends(), 0);
    thread.post('again');
    assert.equal(await next(), 'again');
    thread.rest();
    mock.timers.tick(20_000);
    assert.equal(ends(), 1);
  });

  it('tells what it broke with', async () => {
    const { thread, ended, ends } = start();
    thread.work();
    thread.post('break');
    assert.match(String(await ended), /broken/);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(ends(), 1);
  });

  it('tells when it ended by itself', async () => {
    const { thread, ended } = start();
    thread.work();
    thread.post('exit');
    assert.match(String(await ended), /ended without an answer/);
  });
});
