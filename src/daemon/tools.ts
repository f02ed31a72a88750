import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { WharfError } from '../base/index.ts';
import type { EngineFacts } from '../engine/system/index.ts';
import type { RuntimeBinary } from '../runtime/index.ts';
import type { Settings } from './settings.ts';

const FOLDERS = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
  '/usr/libexec/podman',
];

/** The executable of that name in the system's folders, or undefined. */
export function findExecutable(name: string): string | undefined {
  if (isAbsolute(name)) return executable(name) ? name : undefined;
  return FOLDERS.map((folder) => join(folder, name)).find(executable);
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Names that Docker's clients use for its own default runtime. */
const ALIASES: Readonly<Record<string, string>> = { 'io.containerd.runc.v2': 'runc' };

/** Runtimes by name: the built-in ones that are installed, and those of the configuration. */
export function knownRuntimes(settings: Pick<Settings, 'runtimes'>): Map<string, RuntimeBinary> {
  const runtimes = new Map<string, RuntimeBinary>();
  for (const name of ['crun', 'runc']) {
    const path = findExecutable(name);
    if (path) runtimes.set(name, { name, path, args: [] });
  }
  for (const [alias, name] of Object.entries(ALIASES)) {
    const target = runtimes.get(name);
    if (target) runtimes.set(alias, target);
  }
  for (const [name, { path, runtimeArgs }] of Object.entries(settings.runtimes)) {
    runtimes.set(name, { name, path: findExecutable(path) ?? path, args: runtimeArgs });
  }
  return runtimes;
}

/** conmon's path. Errors: `unavailable`, saying what to install. */
export function findConmon(settings: Pick<Settings, 'conmon'>): string {
  const found = findExecutable(settings.conmon ?? 'conmon');
  if (found) return found;
  throw new WharfError(
    'unavailable',
    'conmon is not installed: install the package conmon, or name it by --conmon',
  );
}

/** Name, version and commit of the tools that are driven, as `version` shows them. Runs each once. */
export function toolVersions(conmon: string, runtimes: Map<string, RuntimeBinary>): EngineFacts['tools'] {
  const paths = new Map([['conmon', conmon]]);
  for (const runtime of runtimes.values()) paths.set(runtime.name, runtime.path);
  return [...paths].map(([name, path]) => {
    const text = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 5_000 }).stdout ?? '';
    const version = /version:? (\S+)/.exec(text)?.[1] ?? '';
    const commit = /commit:? (\S+)/.exec(text)?.[1] ?? '';
    return { name, version, commit: commit === 'unknown' ? '' : commit };
  });
}
