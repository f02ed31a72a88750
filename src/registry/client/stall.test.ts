import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { StallTimer } from './stall.ts';

/** A timer of 1000 ms whose time is turned by hand. */
function turned(context: TestContext) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  const stalls: number[] = [];
  const timer = new StallTimer(
    1000,
    () => stalls.push(now),
    () => now,
  );
  const turn = (ms: number) => {
    for (let step = 0; step < ms; step += 50) {
      now += 50;
      context.mock.timers.tick(50);
    }
  };
  return { timer, stalls, turn };
}

test('it fires once after its time, and never after its end', (context) => {
  const { stalls, turn } = turned(context);
  turn(950);
  assert.deepEqual(stalls, []);
  turn(5000);
  assert.deepEqual(stalls, [1000]);
});

test('each touch begins the time anew', (context) => {
  const { timer, stalls, turn } = turned(context);
  for (let round = 0; round < 10; round++) {
    turn(900);
    timer.touch();
  }
  assert.deepEqual(stalls, []);
  turn(2000);
  assert.deepEqual(stalls, [10_000]);
});

test('a pause of any length is no stall, and the time begins anew after it', (context) => {
  const { timer, stalls, turn } = turned(context);
  turn(900);
  timer.pause();
  turn(10_000);
  timer.touch();
  turn(900);
  assert.deepEqual(stalls, []);
  turn(1100);
  assert.equal(stalls.length, 1);
});

test('a stopped timer is silent', (context) => {
  const { timer, stalls, turn } = turned(context);
  timer.stop();
  turn(5000);
  assert.deepEqual(stalls, []);
});

test('what is done at a stall may change', (context) => {
  const { timer, stalls, turn } = turned(context);
  let other = 0;
  timer.onStall = () => {
    other += 1;
  };
  turn(3000);
  assert.deepEqual([stalls, other], [[], 1]);
});
