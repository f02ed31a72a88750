import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from './command.ts';

/** Names under which one daemon makes kernel objects. */
export interface DaemonNames {
  dataRoot: string;
  execRoot: string;
  bridge: string;
  /** Bridges of networks that were made on it. */
  userBridges?: readonly string[];
  nftTable: string;
  /** Absolute path within the hierarchy, with a name of its own: `/wharf-test-ab12`. */
  cgroupParent: string;
}

/**
 * What a daemon that has ended left in the kernel, one sentence each, each removed after it was noted. Everything is
 * found by names that only this daemon had.
 */
export async function clearLeftovers(names: DaemonNames): Promise<string[]> {
  const found: string[] = [];
  await clearProcesses(names, found);
  await clearMounts(names, found);
  await clearLinks(names, found);
  await clearTable(names, found);
  clearCgroups(names, found);
  return found;
}

function processesOf(names: DaemonNames): { pid: number; title: string }[] {
  const group = names.cgroupParent;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((entry) => {
      try {
        const title = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        const cgroups = readFileSync(`/proc/${entry}/cgroup`, 'utf8');
        const exe = readlinkSync(`/proc/${entry}/exe`);
        const ours =
          title.includes(names.execRoot) || title.includes(names.dataRoot) || cgroups.includes(`${group}/`);
        // Clients of the tests name the roots, too; only the daemon's own kind counts.
        const client = /\/(docker|script|dash|bash)$/.test(exe) && !cgroups.includes(`${group}/`);
        return ours && !client ? [{ pid: Number(entry), title }] : [];
      } catch {
        return [];
      }
    });
}

/** Kills all processes of a daemon's containers, as the end of the machine does. */
export function killProcesses(names: DaemonNames): void {
  for (const { pid } of processesOf(names)) killIfAlive(pid);
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (thrown) {
    // It has ended since it was listed.
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
  }
}

async function clearProcesses(names: DaemonNames, found: string[]): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const left = processesOf(names);
    if (left.length === 0) return;
    // A monitor may need a moment after its container; only what stays is left over.
    if (round < 10) await new Promise((resolve) => setTimeout(resolve, 50));
    else
      for (const { pid, title } of left) {
        found.push(`process ${pid}: ${title.slice(0, 200)}`);
        killIfAlive(pid);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
  }
}

async function clearMounts(names: DaemonNames, found: string[]): Promise<void> {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${names.dataRoot}/`) || point.startsWith(`${names.execRoot}/`));
  for (const point of points.reverse()) {
    found.push(`mount ${point}`);
    await execute('umount', ['--lazy', point]);
  }
}

async function clearLinks(names: DaemonNames, found: string[]): Promise<void> {
  const { stdout } = await execute('ip', ['-o', 'link', 'show']);
  const bridges = [names.bridge, ...(names.userBridges ?? [])];
  const lines = stdout.split('\n').filter((line) => bridges.some((bridge) => line.includes(bridge)));
  for (const line of lines) {
    const name = /^\d+: ([^:@]+)/.exec(line)?.[1];
    if (!name) continue;
    found.push(`link ${name}`);
    await execute('ip', ['link', 'delete', name]);
  }
}

async function clearTable(names: DaemonNames, found: string[]): Promise<void> {
  const { stdout } = await execute('nft', ['list', 'tables']);
  for (const line of stdout.split('\n')) {
    const [, family, table] = line.split(' ');
    if (table !== names.nftTable) continue;
    found.push(`nft table ${family} ${table}`);
    await execute('nft', ['delete', 'table', family as string, table]);
  }
}

/** Bridges of networks that a daemon's rules speak of: what of them is there can be learnt when the daemon is gone, too. */
export async function bridgesOfTable({ nftTable }: DaemonNames): Promise<string[]> {
  const { stdout } = await execute('nft', ['list', 'ruleset']);
  const table = stdout.split(/^(?=table )/m).filter((text) => text.split(' ')[2] === nftTable);
  return [...new Set(table.join('').match(/wh-[0-9a-f]{12}/g))];
}

function clearCgroups(names: DaemonNames, found: string[]): void {
  const mounts = [
    '/sys/fs/cgroup',
    ...readdirSync('/sys/fs/cgroup').map((entry) => `/sys/fs/cgroup/${entry}`),
  ];
  const seen = new Set<string>();
  for (const mount of mounts) {
    const top = join(mount, names.cgroupParent);
    if (!existsSync(top)) continue;
    const groups = readdirSync(top, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
    // The parent itself may stay: it holds nothing, and limits that an administrator has set on it.
    for (const group of groups.sort((a, b) => b.length - a.length)) {
      seen.add(group.slice(mount.length));
      removeGroup(group);
    }
    removeGroup(top);
  }
  for (const group of seen) found.push(`cgroup ${group}`);
}

function removeGroup(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // A process that is just ending holds it; the sentence about it was kept by the caller.
  }
}

/** Removes the daemon's files; mounts below them must be gone. */
export function removeFiles(names: DaemonNames, temporary: string): void {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  for (const path of [names.execRoot, temporary]) {
    if (!mounts.includes(` ${path}/`)) rmSync(path, { recursive: true, force: true });
  }
}
