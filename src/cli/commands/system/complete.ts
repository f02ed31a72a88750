import { listContainers, listImages, listNetworks, listVolumes } from '../../../client/index.ts';
import { ANY_OPERANDS, type CommandSpec, type Context } from '../../command.ts';
import { subcommands } from '../../main.ts';
import { findCommand } from '../../registry.ts';
import { safeCell } from '../../sanitize.ts';

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
    const offers = await offersFor(context, words, typed).catch(() => []);
    context.print(
      offers
        .filter((offer) => offer.startsWith(typed))
        .map((offer) => `${safeCell(offer)}\n`)
        .join(''),
    );
    return 0;
  },
};

async function offersFor(context: Context, words: readonly string[], typed: string): Promise<string[]> {
  const found = findCommand(words);
  if (!found) return subcommands(words);
  const { command: target } = await found.entry.load();
  if (typed.startsWith('-'))
    return [...target.flags.filter((each) => !each.hidden).map((each) => `--${each.name}`), '--help'].sort();
  const client = context.client();
  switch (target.completes) {
    case 'containers':
    case 'running':
      return (await listContainers(client, { all: target.completes === 'containers' }))
        .flatMap((each) => each.Names ?? [])
        .map((name) => name.replace(/^\//, ''));
    case 'images':
      return (await listImages(client, {})).flatMap((each) => each.RepoTags ?? []);
    case 'volumes':
      return ((await listVolumes(client, undefined)).Volumes ?? []).map((each) => each.Name);
    case 'networks':
      return (await listNetworks(client, undefined)).map((each) => each.Name);
    default:
      return [];
  }
}
