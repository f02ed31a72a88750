import { readFileSync, statSync } from 'node:fs';
import { type Fd, sealedFile } from '../sys/index.ts';
import { READY_FILTER } from './seccomp-cache.ts';
import type { RuntimeBinary } from './types.ts';

/** An OCI runtime's program as it is run. */
export interface RuntimeProgram {
  /** What to execute. */
  path: string;
  /** Whether it takes a compiled seccomp filter. A runtime that did not would run the container without any. */
  readyFilters: boolean;
  /** Whether its state on disk is laid out as crun's, so that its work can be done without a process. */
  crun: boolean;
}

const known = new Map<string, { identity: string; program: RuntimeProgram; sealed: Fd }>();

/**
 * The program of a runtime. crun runs from a copy of itself that nobody can change, so that no container can overwrite
 * it (CVE-2019-5736), and makes that copy anew at each call: it is made once here, which saves 2 ms each time. The copy
 * is renewed when the file changes, and lives as long as this process.
 */
export function runtimeProgram(runtime: RuntimeBinary): RuntimeProgram {
  const asIs = { path: runtime.path, readyFilters: false, crun: false };
  if (runtime.name !== 'crun') return asIs;
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(runtime.path);
    const identity = [dev, ino, size, mtimeMs, ctimeMs].join(' ');
    const before = known.get(runtime.path);
    if (before?.identity === identity) return before.program;
    before?.sealed.close();
    known.delete(runtime.path);
    const content = readFileSync(runtime.path);
    // Scripts and wrappers are run from where they are: only an ELF file is the whole program.
    if (content.toString('latin1', 0, 4) !== '\x7fELF' || !content.includes('crun')) return asIs;
    const sealed = sealedFile('crun', content);
    const path = `/proc/${process.pid}/fd/${sealed.fd}`;
    const program = { path, readyFilters: content.includes(READY_FILTER), crun: true };
    known.set(runtime.path, { identity, program, sealed });
    return program;
  } catch {
    // A missing runtime is told by whoever tries to run it.
    return asIs;
  }
}
