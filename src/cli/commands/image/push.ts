import { WharfError } from '../../../base/index.ts';
import { pushImage } from '../../../client/index.ts';
import { type CommandSpec, type Context, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { green, printNote, red } from '../../note.ts';
import { platformProblem, platformQuery } from '../../platform.ts';
import { SILENT, showProgress } from '../../progress.ts';
import { fullName } from '../../reference.ts';
import { registryAuth } from '../../registry-auth.ts';
import { safeCell } from '../../sanitize.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] NAME[:TAG]',
  summary: 'Upload an image to a registry',
  flags: [
    flag('a,all-tags', 'bool', 'Push all tags of an image to the repository'),
    flag('disable-content-trust', 'bool', 'Skip image signing', { default: true }),
    flag(
      'platform',
      'string',
      "Push a platform-specific manifest as a single-platform image to the registry.\nImage index won't be pushed, meaning that other manifests, including attestations won't be preserved.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
    ),
    flag('q,quiet', 'bool', 'Suppress verbose output'),
  ],
  arity: exactly(1),
  completes: 'images',
  async run(context, flags) {
    const platform = choosePlatform(context, flags.string('platform'));
    const { name, tag: given, digest } = fullName(flags.operands[0] ?? '');
    const [quiet, all] = [flags.bool('quiet'), flags.bool('all-tags')];
    const bare = given === undefined && digest === undefined;
    if (all && !bare) throw new WharfError('invalid', "tag can't be used with --all-tags/-a");
    if (!all && bare && !quiet) context.print('Using default tag: latest\n');
    if (digest !== undefined) throw new WharfError('invalid', 'cannot push a digest reference');
    const tag = bare && !all ? 'latest' : given;
    const headers = await registryAuth(context, name);
    const response = await pushImage(context.client(), name, { tag, platform }, headers);
    const aside = await showProgress(response, quiet ? SILENT : context.stdout);
    if (quiet) context.print(`${name}${tag === undefined ? '' : `:${tag}`}\n`);
    for (const message of aside) tell(context, message);
    return 0;
  },
};

function choosePlatform(context: Context, text: string): string | undefined {
  if (text === '') return undefined;
  if (platformProblem(text) !== undefined) context.warn(`Invalid platform ${text}`);
  const query = platformQuery(text);
  printNote(
    context.stdout,
    'Using `--platform` pushes only the specified platform manifest of a multi-platform image index.\nOther components, like attestations, will not be included.\nTo push the complete multi-platform image, remove the `--platform` flag.\n',
  );
  return query;
}

/** Says what the engine told beside the progress: that not everything went, or that something is missing. */
function tell(context: Context, message: Record<string, unknown>): void {
  if (message['manifestPushedInsteadOfIndex'] === true) {
    const [from, to] = [digestOf(message['originalIndex']), digestOf(message['selectedManifest'])];
    printNote(
      context.stdout,
      `Not all multiplatform-content is present and only the available single-platform image was pushed\n${red(from)} -> ${green(to)}`,
    );
  }
  if (message['contentMissing'] === true)
    printNote(
      context.stdout,
      'The index names manifests for several platforms, and some of them are neither here nor at the registry.\nPull what is missing, or choose one platform to push with the `--platform` flag.',
    );
}

function digestOf(descriptor: unknown): string {
  const digest = (descriptor as { digest?: unknown } | undefined)?.digest;
  return safeCell(typeof digest === 'string' ? digest : '');
}
