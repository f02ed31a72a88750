import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type DataOperation, DataScene } from './support/data-operations.ts';
import { needsOwnDaemon, useDaemon } from './support/index.ts';
import { killAt } from './support/kill-at.ts';

/**
 * At which call of its main thread the daemon is killed: the database, mounts, names of files. Each number is one kill; where an
 * operation makes fewer of these calls, it ends well and that is all.
 */
const STEPS: readonly [syscall: string, counts: readonly number[]][] = [
  ['pwrite64', [1, 3, 7]],
  ['mkdir', [1, 2]],
  ['mount', [1]],
  ['umount2', [1]],
  ['rename', [1]],
];

describe('a daemon that is killed while data moves', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const scene = new DataScene(engine);
  before(() => scene.build());

  /** Does the operation with a kill at that call; whether the kill came before the answer. */
  const killed = async (operation: DataOperation, syscall: string, count: number): Promise<boolean> => {
    const watch = await killAt(engine.pid, syscall, count);
    engine.expectEnd(true);
    const { code } = await engine.docker(...operation.command);
    await watch.off();
    const alive = await engine.api('GET', '/_ping').then(
      () => true,
      () => false,
    );
    if (!alive) {
      await engine.ended();
      await engine.run();
    }
    engine.expectEnd(false);
    return code !== 0 && !alive;
  };

  for (const operation of scene.operations())
    it(`${operation.title}: what was there stays, and the same command again succeeds`, async (context) => {
      let kills = 0;
      for (const [syscall, counts] of STEPS)
        for (const count of counts) {
          await operation.setUp?.();
          const inTime = await killed(operation, syscall, count);
          if (inTime) {
            kills++;
            await scene.recovers(operation, `killed at ${syscall} ${count}`);
          }
          await operation.undo();
          if (!inTime) break;
        }
      context.diagnostic(`${kills} kills`);
    });

  it('nothing is left by all of it', async () => {
    await scene.unharmed('at the end');
    assert.deepEqual((await engine.ok('volume', 'ls', '-q')).split('\n').sort(), ['free', 'shared', 'used']);
  });
});
