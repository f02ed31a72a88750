import { ANY_OPERANDS, type CommandSpec, type Context } from '../../command.ts';
import { readLine } from '../../completion/line.ts';
import { names } from '../../completion/names.ts';
import { flagValues } from '../../completion/values.ts';
import { configHome, createContext, globalFlags } from '../../context.ts';
import { type FlagSpec, parseFlags } from '../../flags.ts';
import { subcommands } from '../../main.ts';
import { findCommand } from '../../registry.ts';
import { safeCell } from '../../sanitize.ts';

/** Offers for the word being typed; `undefined` asks the shell for files. */
type Offers = readonly string[] | undefined;

/** The exit code by which the shells' scripts know that files are wanted. */
const WANTS_FILES = 3;

/** Prints what may follow the given words, one a line; the last word is what is being typed. */
export const command: CommandSpec = {
  usage: '',
  summary: 'Print what may follow',
  flags: [],
  arity: ANY_OPERANDS,
  interspersed: false,
  async run(context, flags) {
    const words = flags.operands.slice(0, -1);
    const typed = flags.operands.at(-1) ?? '';
    const offers = await offersFor(context, words, typed);
    if (offers === undefined) return WANTS_FILES;
    const fitting = offers.filter((offer) => offer.startsWith(typed));
    context.print(fitting.map((offer) => `${safeCell(offer)}\n`).join(''));
    return 0;
  },
};

async function offersFor(context: Context, words: readonly string[], typed: string): Promise<Offers> {
  const globals = globalFlags(configHome(context.env));
  const before = readLine(globals, words, { interspersed: false, stopAtOperand: true });
  if (before.flag) return flagValues(context, '', before.flag.name);
  const rest = words.slice(before.taken);
  const found = findCommand(rest);
  if (!found)
    return typed.startsWith('-') && rest.length === 0
      ? flagOffers(context, '', globals, typed)
      : subcommands(rest);
  const { command: target } = await found.entry.load();
  const path = found.entry.names[0] ?? '';
  using chosen = createContext(
    context,
    context.env,
    parseFlags(globals, words.slice(0, before.taken), false),
    path,
  );
  const own = rest.slice(found.path.split(' ').length);
  const place = readLine(target.flags, own, { interspersed: target.interspersed ?? true });
  if (place.flag) return await flagValues(chosen, path, place.flag.name);
  if (place.flags && typed.startsWith('-')) return await flagOffers(chosen, path, target.flags, typed);
  return await operandOffers(chosen, target, place.operands, typed);
}

/** The names of flags, or after `--flag=` its values. */
async function flagOffers(
  context: Context,
  path: string,
  specs: readonly FlagSpec[],
  typed: string,
): Promise<Offers> {
  const at = typed.indexOf('=');
  if (at < 0)
    return [
      ...new Set([...specs.filter((each) => !each.hidden).map((each) => `--${each.name}`), '--help']),
    ].sort();
  const name = typed.slice(2, at);
  if (!specs.some((each) => each.name === name)) return [];
  return (await flagValues(context, path, name))?.map((value) => `--${name}=${value}`);
}

async function operandOffers(
  context: Context,
  target: CommandSpec,
  given: readonly string[],
  typed: string,
): Promise<Offers> {
  const { completes, interspersed = true, arity } = target;
  if (given.length >= arity.max || completes === undefined) return [];
  const kind =
    typeof completes !== 'string'
      ? completes[given.length]
      : interspersed || given.length === 0
        ? completes
        : undefined;
  if (kind === 'files') return undefined;
  if (kind === undefined) return [];
  if (kind === 'paths') {
    const places = await names(context, kind);
    return places.some((place) => place.startsWith(typed)) ? places : undefined;
  }
  const taken = new Set(given);
  return (await names(context, kind)).filter((name) => !taken.has(name));
}
