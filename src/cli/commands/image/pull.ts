import { WharfError } from '../../../base/index.ts';
import { createImage } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { SILENT, showProgress } from '../../progress.ts';
import { fullName } from '../../reference.ts';
import { registryAuth } from '../../registry-auth.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  summary: 'Download an image from a registry',
  flags: [
    flag('all-platforms', 'bool', 'Download the image for every platform it exists for'),
    flag('a,all-tags', 'bool', 'Download all tagged images in the repository'),
    flag('disable-content-trust', 'bool', 'Skip image verification', { default: true }),
    flag('platform', 'string', 'Set platform if server is multi-platform capable'),
    flag('q,quiet', 'bool', 'Suppress verbose output'),
  ],
  arity: exactly(1),
  completes: 'remote',
  async run(context, flags) {
    const { name, tag: given, digest } = fullName(flags.operands[0] ?? '');
    const [quiet, all] = [flags.bool('quiet'), flags.bool('all-tags')];
    const bare = given === undefined && digest === undefined;
    if (all && !bare) throw new WharfError('invalid', "tag can't be used with --all-tags/-a");
    const everywhere = flags.bool('all-platforms');
    if (everywhere && flags.string('platform') !== '')
      throw new WharfError(
        'invalid',
        'conflicting options: cannot specify both --platform and --all-platforms',
      );
    if (bare && !all && !quiet) context.print('Using default tag: latest\n');
    const tag = bare && !all ? 'latest' : given;
    const query = {
      fromImage: name,
      tag: digest ?? tag,
      platform: flags.string('platform').toLowerCase() || undefined,
      allPlatforms: everywhere,
    };
    const headers = await registryAuth(context, name);
    const response = await createImage(context.client(), query, undefined, headers);
    await showProgress(response, quiet ? SILENT : context.stdout);
    context.print(
      `${name}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}\n`,
    );
    return 0;
  },
};
