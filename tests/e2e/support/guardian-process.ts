/** Run by `guard` as a program: reads what is guarded until the test's process has ended, then takes away what is left of it. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Guarded, GuardMessage } from './guardian.ts';
import { bridgesOfTable, clearLeftovers, killProcesses, removeFiles } from './leftovers.ts';

async function takeAway(guarded: Guarded): Promise<void> {
  switch (guarded.kind) {
    case 'daemon': {
      const names = { ...guarded.names, userBridges: await bridgesOfTable(guarded.names) };
      killProcesses(names);
      await clearLeftovers(names);
      return removeFiles(names, guarded.temporary);
    }
    case 'filesystem':
      spawnSync('umount', ['--lazy', guarded.root]);
      return rmSync(guarded.folder, { recursive: true, force: true });
    case 'netns':
      spawnSync('ip', ['netns', 'delete', guarded.name]);
  }
}

const left = new Map<number, Guarded>();
for await (const line of createInterface(process.stdin)) {
  const { id, guarded } = JSON.parse(line) as GuardMessage;
  if (guarded) left.set(id, guarded);
  else left.delete(id);
}
// What was made last stands on what was made before.
for (const guarded of [...left.values()].reverse()) {
  try {
    await takeAway(guarded);
  } catch {
    // The others can be taken away nevertheless, and nobody is left to be told.
  }
}
