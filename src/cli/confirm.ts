import { createInterface } from 'node:readline/promises';
import type { Context } from './command.ts';
import { type FlagSpec, flag, type ParsedFlags } from './flags.ts';
import { filterFlag } from './shared-flags.ts';

/** The flags of every prune. */
export function pruneFlags(filterHelp: string, extra: readonly FlagSpec[] = []): FlagSpec[] {
  return [
    ...extra,
    filterFlag(filterHelp, 'filter'),
    flag('f,force', 'bool', 'Do not prompt for confirmation'),
  ];
}

/** Asks before something is lost, unless `--force` was given. */
export async function confirmed(context: Context, flags: ParsedFlags, warning: string): Promise<boolean> {
  if (flags.bool('force')) return true;
  context.print(`${warning}\nAre you sure you want to continue? [y/N] `);
  const lines = createInterface({ input: context.stdin });
  try {
    for await (const line of lines) return line.trim().toLowerCase() === 'y';
    return false;
  } finally {
    lines.close();
  }
}
