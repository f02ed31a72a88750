import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '../../base/index.ts';
import { ReadySandboxes } from './ready-sandboxes.ts';

describe('things kept ready', () => {
  it('are made between other work, up to the target, and dropped at the end', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let made = 0;
    const dropped: number[] = [];
    const ready = new ReadySandboxes({
      target: 2,
      make: () => ++made,
      drop: (item) => dropped.push(item),
      log: silentLog,
    });
    assert.equal(ready.take(), 1, 'none is ready: made now');
    assert.deepEqual(ready.ready(), []);
    for (let at = 0; at < 5; at++) t.mock.timers.tick(100);
    assert.deepEqual(ready.ready(), [2, 3]);
    assert.equal(ready.take(), 2);
    ready.putBack(2);
    assert.equal(ready.take(), 2, 'the unused one is first again');
    ready.close();
    assert.deepEqual(dropped, [3]);
    for (let at = 0; at < 5; at++) t.mock.timers.tick(100);
    assert.equal(made, 3);
  });

  it('survive a maker that fails', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const make = () => {
      throw new Error('no');
    };
    const ready = new ReadySandboxes({ target: 1, make, drop() {}, log: silentLog });
    ready.refillSoon();
    t.mock.timers.tick(1000);
    assert.deepEqual(ready.ready(), []);
    assert.throws(() => ready.take(), /no/);
    ready.close();
  });
});
