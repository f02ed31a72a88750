import { fstatSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoCode } from '../base/index.ts';
import { O, openInRoot } from '../sys/index.ts';
import type { OciMount } from './spec-types.ts';

/** What a container's process sees, as far as it can be looked at from here. */
export interface ProgramView {
  /** Directory that is the process's root: the mounted file system, or `/proc/PID/root`. */
  root: string;
  /** Mounts that are not visible below `root`. */
  mounts: readonly OciMount[];
}

/** The parts of a process that decide whether it can be run. */
export interface WantedProcess {
  args: readonly string[];
  env: readonly string[];
  cwd: string;
}

/** Why a process can't be run; `code` is an errno name. */
export interface ProgramProblem {
  about: 'cwd' | 'program' | 'search';
  code: string;
}

/**
 * Looks for what keeps a process from being run, as execve(2) would find it: runtimes say it ambiguously, or to the
 * container's terminal. Undefined when nothing is wrong to be seen. Everything is opened by descriptor within the root.
 */
export function diagnoseProgram(view: ProgramView, wanted: WantedProcess): ProgramProblem | undefined {
  const cwd = lookAt(view, wanted.cwd || '/');
  if (cwd.code) return { about: 'cwd', code: cwd.code };
  if (cwd.kind === 'file') return { about: 'cwd', code: 'ENOTDIR' };
  const program = wanted.args[0] ?? '';
  if (!program.includes('/')) return searched(view, wanted, program);
  const found = lookAt(view, posix.resolve(wanted.cwd || '/', program));
  if (found.code) return { about: 'program', code: found.code };
  if (found.kind === 'directory') return { about: 'program', code: 'EISDIR' };
  return found.kind === 'file' && !found.executable ? { about: 'program', code: 'EACCES' } : undefined;
}

function searched(view: ProgramView, wanted: WantedProcess, program: string): ProgramProblem | undefined {
  const path = wanted.env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  const hit = path.split(':').some((dir) => {
    const seen = lookAt(view, posix.resolve(wanted.cwd || '/', dir, program));
    return seen.kind === 'unknown' || (seen.kind === 'file' && seen.executable);
  });
  return hit && program !== '' ? undefined : { about: 'search', code: 'ENOENT' };
}

interface Look {
  kind?: 'file' | 'directory' | 'unknown';
  executable?: boolean;
  /** Set when it can't be opened. */
  code?: string;
}

function lookAt({ root, mounts }: ProgramView, path: string): Look {
  const mount = mounts
    .filter(
      ({ destination }) => path === destination || path.startsWith(`${destination.replace(/\/$/, '')}/`),
    )
    .sort((a, b) => b.destination.length - a.destination.length)[0];
  if (mount && !mount.options?.some((option) => option === 'bind' || option === 'rbind'))
    return { kind: 'unknown' };
  try {
    if (!mount) return openedIn(root, path);
    const source = mount.source ?? '';
    if (statSync(source).isDirectory()) return openedIn(source, `/${path.slice(mount.destination.length)}`);
    return path === mount.destination ? { kind: 'unknown' } : { code: 'ENOTDIR' };
  } catch (thrown) {
    const code = errnoCode((thrown as Error).cause) ?? errnoCode(thrown);
    // Links of procfs are not followed here, and what a link in a mount means is only known inside.
    return code === undefined || code === 'EXDEV' ? { kind: 'unknown' } : { code };
  }
}

function openedIn(root: string, path: string): Look {
  using file = openInRoot(root, path, O.PATH, 0);
  const stat = fstatSync(file.fd);
  return { kind: stat.isDirectory() ? 'directory' : 'file', executable: (stat.mode & 0o111) !== 0 };
}
