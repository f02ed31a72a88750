import { rmSync } from 'node:fs';
import { after, before } from 'node:test';
import { type DaemonOptions, type TestDaemon, useDaemon } from './daemon.ts';
import { type FilesystemKind, FilesystemLab } from './filesystem-lab.ts';
import { clearLeftovers, killProcesses } from './leftovers.ts';

/** A daemon whose data root is on a filesystem of its own, which tests may fill and cut off its power. */
export function useDisk(kind: FilesystemKind, bytes: number, options: DaemonOptions = {}) {
  const lab = new FilesystemLab(kind, bytes);
  before(() => lab.build());
  const engine = useDaemon({ ...options, dataRoot: lab.dataRoot });
  after(() => lab.remove());
  return { lab, engine };
}

/**
 * The power goes and comes back: what was not on the disk is lost, and so is all that the kernel knew of the daemon –
 * processes, mounts, interfaces, rules, everything below /run. Resolves when the next daemon answers.
 */
export async function powerCut(lab: FilesystemLab, engine: TestDaemon): Promise<void> {
  engine.expectEnd(true);
  lab.shutDown();
  await engine.kill();
  killProcesses(engine);
  await clearLeftovers(engine);
  rmSync(engine.execRoot, { recursive: true, force: true });
  await lab.remount();
  await engine.run();
  engine.expectEnd(false);
}
