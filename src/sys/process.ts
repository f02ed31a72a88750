import { readFileSync } from 'node:fs';
import { errnoCode } from '../base/index.ts';
import { check, fromNodeError } from './errno.ts';
import { libcFunction } from './libc.ts';

/** What /proc/<pid>/status says of a process. Ids are effective ones, in the daemon's namespaces. */
export interface ProcessStatus {
  name: string;
  /** One letter: R, S, D, T, t, Z, X, I (proc(5)). */
  state: string;
  parentPid: number;
  uid: number;
  gid: number;
  threads: number;
  /** Ids of the process from the outermost to its own pid namespace. */
  namespacePids: number[];
  /** Resident memory in bytes; 0 for a zombie. */
  residentBytes: number;
}

/** The start time in clock ticks since boot: with the pid it names a process for good. Undefined when there is none. */
export function processStartTicks(pid: number): bigint | undefined {
  const text = readProc(pid, 'stat');
  // The name is in parentheses and may contain any character; the last one closes it.
  const field = text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  return field === undefined ? undefined : BigInt(field);
}

/** The state of a process, or undefined when there is none. A zombie has state `Z`. */
export function processStatus(pid: number): ProcessStatus | undefined {
  const text = readProc(pid, 'status');
  if (text === undefined) return undefined;
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const numbers = (name: string) => (fields.get(name) ?? '').split(/\s+/).map(Number);
  return {
    name: fields.get('Name') ?? '',
    state: fields.get('State')?.[0] ?? '?',
    parentPid: numbers('PPid')[0] ?? 0,
    uid: numbers('Uid')[1] ?? 0,
    gid: numbers('Gid')[1] ?? 0,
    threads: numbers('Threads')[0] ?? 0,
    namespacePids: numbers('NSpid'),
    residentBytes: (Number.parseInt(fields.get('VmRSS') ?? '0', 10) || 0) * 1024,
  };
}

/** ESRCH comes from a process that ends between the opening and the reading. */
function readProc(pid: number, file: string): string | undefined {
  const path = `/proc/${pid}/${file}`;
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if (['ENOENT', 'ESRCH'].includes(errnoCode(thrown) ?? '')) return undefined;
    throw fromNodeError(thrown, 'read', path);
  }
}

const prctlCall = libcFunction<[number, number, number, number, number]>(
  'int prctl(int option, ulong a, ulong b, ulong c, ulong d)',
);
const PR_SET_CHILD_SUBREAPER = 36;

/** Makes orphans below this process its children (prctl(2)), for good. */
export function prctlSubreaper(): void {
  check(prctlCall(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 'prctl', 'child subreaper');
}
