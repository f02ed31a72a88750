import type { FlagSpec } from './flags.ts';
import { flagUsages, listing } from './help.ts';
import { COMMANDS, COMMON, type Entry, GROUPS, NOT_YET, SUBGROUPS } from './registry.ts';

/** The help of the program itself. */
export function rootHelp(program: string, globals: readonly FlagSpec[]): string {
  const single = COMMANDS.flatMap((each) =>
    each.names
      .filter((name) => !name.includes(' ') && !name.startsWith('__'))
      .map((name): [string, string] => [name, each.summary]),
  );
  const common = COMMON.flatMap((name) => single.filter(([each]) => each === name));
  const others = single.filter(([name]) => !COMMON.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `Usage:  ${program} [OPTIONS] COMMAND`,
    '',
    'Runs containers on a Wharf engine, or any other that speaks its API',
    '',
    `Common Commands:\n${listing(common)}`,
    `Management Commands:\n${listing(Object.entries(GROUPS))}`,
    `Commands:\n${listing(others)}`,
    `Not in this version: ${NOT_YET.join(', ')}\n`,
    `Global Options:\n${flagUsages(globals)}`,
    `Run '${program} COMMAND --help' for more information on a command.`,
    '',
  ].join('\n');
}

/** The help of a group of commands. */
export function groupHelp(program: string, group: string): string {
  const inGroup = (each: Entry) => each.names.find((name) => name.startsWith(`${group} `));
  const rows = COMMANDS.flatMap((each): [string, string][] => {
    const name = inGroup(each);
    return name === undefined ? [] : [[name.slice(group.length + 1), each.summary]];
  });
  return [
    `Usage:  ${program} ${group} COMMAND`,
    '',
    GROUPS[group] ?? SUBGROUPS[group] ?? '',
    '',
    `Commands:\n${listing(rows)}`,
    `Run '${program} ${group} COMMAND --help' for more information on a command.`,
    '',
  ].join('\n');
}
