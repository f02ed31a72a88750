import { type CommandSpec, ExitError, type Terminal } from './command.ts';
import { configHome, createContext, globalFlags } from './context.ts';
import { describeError } from './errors.ts';
import { FlagError, type FlagSpec, flag, type ParsedFlags, parseFlags } from './flags.ts';
import { ABSENT, absentText, COMMANDS, findCommand, GROUPS, SUBGROUPS } from './registry.ts';
import { VERSION } from './version.ts';

const PROGRAM = 'wharf';
const HELP = flag('h,help', 'bool', 'Print usage', { hidden: true });

const LOG_LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'warning', 'error', 'fatal', 'panic']);

/** Runs one command line and gives its exit code. `args` are the words after the program's name. */
export async function main(
  args: readonly string[],
  terminal: Terminal,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const globals = [...globalFlags(configHome(env)), HELP];
  const fail = (text: string, code: number) => {
    terminal.stderr.write(`${text}\n`);
    return code;
  };
  let before: ParsedFlags;
  try {
    before = parseFlags(globals, args, false);
  } catch (thrown) {
    if (!(thrown instanceof FlagError)) throw thrown;
    return fail(
      `${thrown.message}\n\nUsage:  ${PROGRAM} [OPTIONS] COMMAND [ARG...]\n\nRun '${PROGRAM} --help' for more information`,
      125,
    );
  }
  const words = before.operands;
  const level = before.string('log-level');
  if (!LOG_LEVELS.has(level.toLowerCase())) return fail(`Unable to parse logging level: ${level}`, 1);
  if (before.bool('version')) {
    terminal.stdout.write(`Wharf version ${VERSION}\n`);
    return 0;
  }
  if (words.length === 0 || before.bool('help') || words[0] === 'help')
    return help(words, globals, terminal, fail);
  const found = findCommand(words);
  if (!found) return unknown(words, terminal, fail);
  const { command } = await found.entry.load();
  const rest = words.slice(found.path.split(' ').length);
  using context = createContext(terminal, env, before, found.path);
  return await execute(command, found.path, found.entry.names, rest, context, fail);
}

type Fail = (text: string, code: number) => number;

async function execute(
  command: CommandSpec,
  path: string,
  names: readonly string[],
  rest: readonly string[],
  context: Parameters<CommandSpec['run']>[0],
  fail: Fail,
): Promise<number> {
  const usage = `Usage:  ${PROGRAM} ${path}${command.usage === '' ? '' : ` ${command.usage}`}`;
  const more = `Run '${PROGRAM} ${path} --help' for more information`;
  let parsed: ParsedFlags;
  try {
    const takesH = command.flags.some((each) => each.short === 'h');
    const helpFlag: FlagSpec = takesH ? { ...HELP, short: undefined } : HELP;
    const declared = command.flags.some((each) => each.name === 'help');
    parsed = parseFlags(
      declared ? command.flags : [...command.flags, helpFlag],
      rest,
      command.interspersed ?? true,
    );
  } catch (thrown) {
    if (!(thrown instanceof FlagError)) throw thrown;
    return fail(`${thrown.message}\n\n${usage}\n\n${more}`, 125);
  }
  if (parsed.bool('help')) {
    const { commandHelp } = await import('./help.ts');
    context.print(commandHelp(PROGRAM, path, command, names));
    return 0;
  }
  const wrong = arityError(command, path, parsed.operands.length);
  if (wrong)
    return fail(
      `${PROGRAM}: ${wrong.text}\n\n${usage}\n\n${wrong.see ? more.replace(/^Run/, 'See') : more}`,
      1,
    );
  try {
    return await command.run(context, parsed);
  } catch (thrown) {
    const [text, code] =
      thrown instanceof ExitError ? [thrown.message, thrown.code] : [describeError(thrown), 1];
    if (text === '') return code;
    fail(text, code);
    if (!context.stderr.isTTY) return code;
    const { hintFor } = await import('./hints.ts');
    const hint = await hintFor(context, parsed.operands, text);
    return hint === undefined ? code : fail(hint, code);
  }
}

function arityError(
  command: CommandSpec,
  path: string,
  count: number,
): { text: string; see: boolean } | undefined {
  const { min, max } = command.arity;
  if (count >= min && count <= max) return undefined;
  const name = `'${PROGRAM} ${path}'`;
  const plural = (number: number) => `${number} argument${number === 1 ? '' : 's'}`;
  if (max === 0) return { text: `${name} accepts no arguments`, see: false };
  if (min === max) return { text: `${name} requires ${plural(min)}`, see: false };
  if (max === Number.POSITIVE_INFINITY)
    return { text: `${name} requires at least ${plural(min)}`, see: true };
  if (min === 0) return { text: `${name} requires at most ${plural(max)}`, see: false };
  return { text: `${name} requires at least ${min} and at most ${plural(max)}`, see: false };
}

async function help(
  words: readonly string[],
  globals: readonly FlagSpec[],
  terminal: Terminal,
  fail: Fail,
): Promise<number> {
  const asked = words[0] === 'help' ? words.slice(1) : words;
  const { groupHelp, rootHelp } = await import('./root-help.ts');
  if (asked.length === 0) {
    terminal.stdout.write(rootHelp(PROGRAM, globals));
    return 0;
  }
  const found = findCommand(asked);
  if (found) {
    const { command } = await found.entry.load();
    const { commandHelp } = await import('./help.ts');
    terminal.stdout.write(commandHelp(PROGRAM, found.path, command, found.entry.names));
    return 0;
  }
  const group = groupOf(asked);
  if (group !== undefined) {
    terminal.stdout.write(groupHelp(PROGRAM, group));
    return 0;
  }
  return fail(`unknown help topic: ${asked.join(' ')}`, 1);
}

/** The longest group that these words begin with. */
function groupOf(words: readonly string[]): string | undefined {
  const [first, second] = words;
  if (first === undefined || GROUPS[first] === undefined) return undefined;
  return SUBGROUPS[`${first} ${second}`] === undefined ? first : `${first} ${second}`;
}

async function unknown(words: readonly string[], terminal: Terminal, fail: Fail): Promise<number> {
  const group = groupOf(words);
  const first = group ?? words[0] ?? '';
  const second = words[first.split(' ').length];
  if (group !== undefined) {
    if (second === undefined || second === '--help' || second === '-h') {
      const { groupHelp } = await import('./root-help.ts');
      (second === undefined ? terminal.stderr : terminal.stdout).write(groupHelp(PROGRAM, first));
      return 0;
    }
    if (second.startsWith('-')) {
      const what = second.startsWith('--')
        ? `unknown flag: ${second}`
        : `unknown shorthand flag: '${second[1]}' in ${second}`;
      return fail(
        `${what}\n\nUsage:  ${PROGRAM} ${first}\n\nRun '${PROGRAM} ${first} --help' for more information`,
        125,
      );
    }
    const path = `${first} ${second}`;
    if (ABSENT.has(path)) return fail(absentText(PROGRAM, path), 1);
    if (first === 'completion')
      return fail(`${PROGRAM}: no completion for the shell '${second}': there is bash, fish and zsh`, 1);
    return fail(
      `${PROGRAM}: unknown command: ${PROGRAM} ${path}\n\nUsage:  ${PROGRAM} ${first}\n\nRun '${PROGRAM} ${first} --help' for more information`,
      1,
    );
  }
  if (ABSENT.has(first)) return fail(absentText(PROGRAM, first), 1);
  return fail(
    `${PROGRAM}: unknown command: ${PROGRAM} ${first}\n\nRun '${PROGRAM} --help' for more information`,
    1,
  );
}

/** Names that completion offers after these words. */
export function subcommands(words: readonly string[]): string[] {
  const prefix = words.length === 0 ? '' : `${words.join(' ')} `;
  const names = COMMANDS.flatMap((each) => each.names).filter(
    (name) => name.startsWith(prefix) && !name.startsWith('__'),
  );
  const groups =
    prefix === ''
      ? Object.keys(GROUPS)
      : Object.keys(SUBGROUPS)
          .filter((name) => name.startsWith(prefix))
          .map((name) => name.slice(prefix.length));
  return [
    ...new Set([
      ...groups,
      ...names.map((name) => name.slice(prefix.length)).filter((name) => !name.includes(' ')),
    ]),
  ].sort();
}
