import { readdirSync, readFileSync } from 'node:fs';

interface ProcessFacts {
  pid: number;
  parent: number;
  name: string;
  title: string;
}

function processes(): ProcessFacts[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
        const end = stat.lastIndexOf(')');
        const title = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const parent = Number(stat.slice(end + 2).split(' ')[1]);
        return [{ pid: Number(entry), parent, name: stat.slice(stat.indexOf('(') + 1, end), title }];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

function pss(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

/** Proportional set size of a process and all below it, in bytes. */
export function pssOfTree(root: number): number {
  const all = processes();
  const tree = new Set([root]);
  for (let size = 0; size !== tree.size; ) {
    size = tree.size;
    for (const { pid, parent } of all) if (tree.has(parent)) tree.add(pid);
  }
  return [...tree].reduce((sum, pid) => sum + pss(pid), 0);
}

/** Pid of the dockerd that serves a socket; undefined when it is not on this machine. Its containerd is below it. */
export function dockerdOf(host: string): number | undefined {
  return processes().find(({ name, title }) => name === 'dockerd' && title.includes(host))?.pid;
}
