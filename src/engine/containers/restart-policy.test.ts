import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RestartPolicy } from '../../api/index.ts';
import { nextBackoff, wantsRestart, wantsStartWithDaemon } from './restart-policy.ts';

const state = (exitCode: number, restartCount = 0, manuallyStopped = false) => ({
  exitCode,
  restartCount,
  manuallyStopped,
});
const policy = (Name: RestartPolicy['Name'], MaximumRetryCount = 0): RestartPolicy => ({
  Name,
  MaximumRetryCount,
});

test('each policy decides by code, count and will', () => {
  assert.equal(wantsRestart(undefined, state(1)), false);
  assert.equal(wantsRestart(policy('no'), state(1)), false);
  assert.equal(wantsRestart(policy('always'), state(0)), true);
  assert.equal(wantsRestart(policy('always'), state(0, 0, true)), false);
  assert.equal(wantsRestart(policy('unless-stopped'), state(0, 50)), true);
  assert.equal(wantsRestart(policy('on-failure'), state(0)), false);
  assert.equal(wantsRestart(policy('on-failure'), state(1, 99)), true);
  assert.equal(wantsRestart(policy('on-failure', 2), state(1, 1)), true);
  assert.equal(wantsRestart(policy('on-failure', 2), state(1, 2)), false);
});

test('with the daemon, only a stop by hand tells always from unless-stopped', () => {
  const record = (Name: RestartPolicy['Name'], manuallyStopped: boolean, hasStarted = true) => ({
    hostConfig: { RestartPolicy: policy(Name) },
    state: {
      ...state(0, 0, manuallyStopped),
      status: 'exited' as const,
      pid: 0,
      error: '',
      oomKilled: false,
      startedAt: '',
      finishedAt: '',
      hasStarted,
    },
  });
  assert.equal(wantsStartWithDaemon(record('always', true)), true);
  assert.equal(wantsStartWithDaemon(record('unless-stopped', true)), false);
  assert.equal(wantsStartWithDaemon(record('unless-stopped', false)), true);
  assert.equal(wantsStartWithDaemon(record('always', false, false)), false);
  assert.equal(wantsStartWithDaemon(record('no', false)), false);
});

test('the back-off doubles to a minute and begins anew after a long run', () => {
  let ms = 0;
  const seen: number[] = [];
  for (let n = 0; n < 12; n++) {
    ms = nextBackoff(ms, 50);
    seen.push(ms);
  }
  assert.deepEqual(seen.slice(0, 4), [100, 200, 400, 800]);
  assert.equal(seen.at(-1), 60_000);
  assert.equal(nextBackoff(60_000, 10_000), 100);
});
