import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cgroupPaths, detectCgroups } from '../sys/index.ts';

let own: string | undefined;
let underway = false;

/**
 * Tells the kernel that a process will soon be moved to another cgroup. The first move after a while waits for all
 * readers of the kernel's thread group lock, 5 to 20 ms; moves within the next 20 ms don't. A move of this process to
 * where it is begins that wait early, beside the other work of a start. Never fails, never blocks.
 */
export function anticipateMove(): void {
  if (underway) return;
  underway = true;
  own ??= ownGroup();
  if (own === '') return;
  const done = () => {
    underway = false;
  };
  writeFile(own, String(process.pid)).then(done, done);
}

/** The process list of the group that this process is in, on any hierarchy; empty when there is none. */
function ownGroup(): string {
  try {
    const hierarchy = detectCgroups();
    const groups = parseGroups(readFileSync('/proc/self/cgroup', 'utf8'));
    for (const [controller, relative] of groups) {
      const directory = cgroupPaths(hierarchy, relative).get(controller);
      if (directory) return `${directory}/cgroup.procs`;
    }
  } catch {
    // A group outside of what is mounted here: there is nothing to gain then.
  }
  return '';
}

/** Controllers (the empty one is the unified hierarchy) and groups of /proc/PID/cgroup (cgroups(7)). */
export function parseGroups(text: string): [string, string][] {
  return text
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, controllers = '', path = '']) => [controllers.split(',')[0] ?? '', path]);
}
