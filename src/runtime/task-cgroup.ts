import { readFileSync, writeFileSync } from 'node:fs';
import { rmdir, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoCode, WharfError } from '../base/index.ts';
import {
  type CgroupHierarchy,
  cgroupPaths,
  cgroupPids,
  detectCgroups,
  openPidfd,
  pidfdExited,
  pidfdSendSignal,
  removeCgroup,
} from '../sys/index.ts';
import { plannedWrites } from './cgroup-writes.ts';
import type { OciResources } from './spec-types.ts';
import { keyed, readCgroupStats } from './stats.ts';
import type { CgroupStats } from './types.ts';

/** What a freezer may take to stop all processes, and what killed ones may take to end. Milliseconds. */
const FREEZE_LIMIT = 10_000;
const KILL_LIMIT = 10_000;

let detected: CgroupHierarchy | undefined;

/** The host's layout, read once: it can't change under running containers. */
function hostHierarchy(): CgroupHierarchy {
  detected ??= detectCgroups();
  return detected;
}

/** The control group of one container. An empty path is the group of nothing. */
export class TaskCgroup {
  private readonly relative: string;
  private readonly hierarchy: CgroupHierarchy;
  private readonly dirs: Map<string, string>;

  constructor(relative: string, hierarchy: CgroupHierarchy = hostHierarchy()) {
    this.relative = relative;
    this.hierarchy = hierarchy;
    this.dirs = relative ? cgroupPaths(hierarchy, relative) : new Map();
  }

  pids(): number[] {
    return this.relative ? cgroupPids(this.hierarchy, this.relative) : [];
  }

  stats(): CgroupStats | undefined {
    return this.relative ? readCgroupStats(this.hierarchy, this.relative) : undefined;
  }

  /** Whether the kernel has killed a process of the group for want of memory (`oom_kill`, kernel 4.13). */
  oomKilled(): boolean {
    const v1 = this.hierarchy.version === 1;
    const text = this.read('memory', v1 ? 'memory.oom_control' : 'memory.events');
    return (keyed(text)['oom_kill'] ?? 0) > 0;
  }

  /** Signals every process of the group. A process counts only if it is in the group after its descriptor was opened. */
  signal(signal: number): number[] {
    return this.pids().filter((pid) => this.signalOne(pid, signal));
  }

  /** Kills whatever is in the group and waits for its end. Errors: `internal` when something does not end in 10 s. */
  async kill(): Promise<void> {
    const end = Date.now() + KILL_LIMIT;
    for (let pids = this.signal(9); pids.length > 0; pids = this.signal(9)) {
      this.thawNow();
      if (Date.now() > end) {
        throw new WharfError('internal', `processes ${pids.join(', ')} of ${this.relative} do not end`);
      }
      await Promise.all(pids.map((pid) => ended(pid, end)));
    }
  }

  /** Stops or continues all processes, and returns when they have. */
  async freeze(on: boolean): Promise<void> {
    const v1 = this.hierarchy.version === 1;
    const dir = this.dirs.get(v1 ? 'freezer' : '');
    if (!dir) throw new WharfError('not-implemented', 'this host has no cgroup freezer');
    const [file, value] = v1
      ? ['freezer.state', on ? 'FROZEN' : 'THAWED']
      : ['cgroup.freeze', on ? '1' : '0'];
    await writeFile(`${dir}/${file}`, value);
    const reached = () =>
      v1
        ? this.read('freezer', file).trim() === value
        : this.read('', 'cgroup.events').includes(`frozen ${value}`);
    const end = Date.now() + FREEZE_LIMIT;
    // The v1 freezer has no event; each look at its state also pushes it on (freezer-subsystem.txt).
    for (let wait = 1; !reached(); wait = Math.min(wait * 2, 50)) {
      if (Date.now() > end) {
        if (on) await writeFile(`${dir}/${file}`, v1 ? 'THAWED' : '0');
        throw new WharfError(
          'internal',
          `the processes of ${this.relative} can't be ${on ? 'frozen' : 'thawed'}`,
        );
      }
      await delay(wait);
    }
  }

  /** Lets frozen processes of v1 take a deadly signal: its freezer holds even that back. */
  thawNow(): void {
    const dir = this.hierarchy.version === 1 && this.dirs.get('freezer');
    if (!dir || this.read('freezer', 'freezer.state').trim() === 'THAWED') return;
    try {
      writeFileSync(`${dir}/freezer.state`, 'THAWED');
    } catch {
      // The group has gone meanwhile.
    }
  }

  /** Changes limits; false when they need the runtime. Errors: `internal` with what the kernel refused. */
  update(resources: OciResources): boolean {
    const writes = plannedWrites(this.hierarchy.version, resources, (controller, file) =>
      this.read(controller, file),
    );
    if (!writes) return false;
    for (const { controller, file, value } of writes) {
      const dir = this.dirs.get(controller);
      try {
        writeFileSync(`${dir}/${file}`, value);
      } catch (cause) {
        const text = `failed to write "${value}" to "${dir}/${file}": ${errnoCode(cause) ?? ''}`;
        throw new WharfError('internal', text, { cause });
      }
    }
    return true;
  }

  /** Removes the group on all hierarchies, killing what is left in it. The fast way takes no look at processes. */
  async remove(): Promise<void> {
    const dirs = new Set(this.dirs.values());
    const removed = await Promise.all([...dirs].map(removeEmpty));
    if (removed.every(Boolean)) return;
    await this.kill();
    // A process that has ended stays counted for a moment.
    for (let attempt = 0; ; attempt++) {
      try {
        return removeCgroup(this.hierarchy, this.relative);
      } catch (thrown) {
        if (attempt === 20) throw thrown;
        await delay(5 * attempt);
      }
    }
  }

  private signalOne(pid: number, signal: number): boolean {
    try {
      using pidfd = openPidfd(pid);
      if (!readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`:${this.relative}`)) return false;
      return pidfdSendSignal(pidfd, signal);
    } catch {
      return false;
    }
  }

  private read(controller: string, file: string): string {
    try {
      return readFileSync(`${this.dirs.get(controller)}/${file}`, 'utf8');
    } catch {
      return '';
    }
  }
}

/** False when there is something in it. Off the main thread: the kernel may hold it up behind other groups' changes. */
async function removeEmpty(dir: string): Promise<boolean> {
  try {
    await rmdir(dir);
    return true;
  } catch (thrown) {
    const code = errnoCode(thrown);
    if (code === 'ENOENT') return true;
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false;
    throw thrown;
  }
}

async function ended(pid: number, end: number): Promise<void> {
  try {
    using pidfd = openPidfd(pid);
    await pidfdExited(pidfd, AbortSignal.timeout(Math.max(1, end - Date.now())));
  } catch {
    // Gone already, or late: the caller looks again.
  }
}
