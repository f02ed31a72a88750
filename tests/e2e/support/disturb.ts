import assert from 'node:assert/strict';
import type { TestDaemon } from './daemon.ts';
import type { DataOperation, DataScene } from './data-operations.ts';
import type { FilesystemLab } from './filesystem-lab.ts';
import { killAt } from './kill-at.ts';
import { powerCut } from './power-cut.ts';

/**
 * Cuts the power at shares of the time that the operation takes undisturbed (1: right after its answer); each time nothing is
 * harmed, and the same command again succeeds. Returns how many cuts there were.
 */
export async function disturbByCuts(
  lab: FilesystemLab,
  engine: TestDaemon,
  scene: DataScene,
  operation: DataOperation,
  shares: readonly number[],
): Promise<number> {
  let [cuts, took] = [0, 0];
  for (const share of [1, ...shares]) {
    await operation.setUp?.();
    lab.sync();
    const begin = performance.now();
    if (share === 1) {
      await scene.succeeds(operation, 'undisturbed');
      took = performance.now() - begin;
      await powerCut(lab, engine);
    } else {
      const client = engine.session(...operation.command);
      await new Promise((resolve) => setTimeout(resolve, took * share));
      await powerCut(lab, engine);
      client.kill('SIGKILL');
      await client.exited;
    }
    await scene.recovers(operation, `power cut at ${share} of ${Math.round(took)} ms`);
    await operation.undo();
    cuts++;
  }
  return cuts;
}

/**
 * Does the operation with so many bytes of room: what gives room back or only reads must succeed, the others may say why not.
 * Returns how often one did.
 */
export async function disturbByFullDisk(
  lab: FilesystemLab,
  engine: TestDaemon,
  scene: DataScene,
  operation: DataOperation,
  rooms: readonly number[],
): Promise<number> {
  let refused = 0;
  for (const room of rooms) {
    const when = `with ${room} bytes left`;
    await operation.setUp?.();
    lab.fill(room);
    const { code, stderr } = await engine.docker(...operation.command);
    if (operation.onlyReads) assert.equal(code, 0, `${when}: ${stderr}`);
    if (code !== 0) {
      assert.match(stderr, /no space left on device|disk quota exceeded|is full/i, when);
      refused++;
    }
    await scene.unharmed(when);
    lab.relieve();
    await scene.completes(operation, when);
    await operation.undo();
  }
  return refused;
}

/** At which of the calls of each kind the daemon is killed. */
export type KillSteps = readonly (readonly [syscall: string, counts: readonly number[]])[];

/**
 * Kills the daemon at single calls of its main thread, one after the other until the operation makes no more of them: nothing is
 * harmed, and the same command again succeeds. Returns how many kills came before the answer.
 */
export async function disturbByKills(
  engine: TestDaemon,
  scene: DataScene,
  operation: DataOperation,
  steps: KillSteps,
): Promise<number> {
  let kills = 0;
  for (const [syscall, counts] of steps)
    for (const count of counts) {
      await operation.setUp?.();
      const inTime = await killed(engine, operation.command, syscall, count);
      if (inTime) await scene.recovers(operation, `killed at ${syscall} ${count}`);
      await operation.undo();
      if (!inTime) break;
      kills++;
    }
  return kills;
}

/** Whether the daemon was killed before it answered. */
async function killed(
  engine: TestDaemon,
  command: readonly string[],
  syscall: string,
  count: number,
): Promise<boolean> {
  const watch = await killAt(engine.pid, syscall, count);
  engine.expectEnd(true);
  const { code } = await engine.docker(...command);
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
}
