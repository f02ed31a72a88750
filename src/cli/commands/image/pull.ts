import { createImage } from '../../../client/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { showProgress } from '../../progress.ts';
import { familiarName, splitTarget } from '../../reference.ts';
import { registryAuth } from '../../registry-auth.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  summary: 'Download an image from a registry',
  flags: [
    flag('a,all-tags', 'bool', 'Download all tagged images in the repository'),
    flag('disable-content-trust', 'bool', 'Skip image verification', { default: true }),
    flag('platform', 'string', 'Set platform if server is multi-platform capable'),
    flag('q,quiet', 'bool', 'Suppress verbose output'),
  ],
  arity: exactly(1),
  completes: 'images',
  async run(context, flags) {
    const [name = ''] = flags.operands;
    const { repo, tag } = splitTarget(name);
    const digest = /@(sha256:[0-9a-f]{64})$/.exec(name)?.[1];
    const [quiet, all] = [flags.bool('quiet'), flags.bool('all-tags')];
    if (all && (tag !== undefined || digest)) throw new Error("tag can't be used with --all-tags/-a");
    if (tag === undefined && !digest && !all && !quiet) context.print('Using default tag: latest\n');
    const query = {
      fromImage: repo,
      tag: all ? undefined : (digest ?? tag ?? 'latest'),
      platform: flags.string('platform').toLowerCase() || undefined,
    };
    const response = await createImage(context.client(), query, undefined, registryAuth(context, repo));
    await showProgress(response, quiet ? { write: () => undefined } : context.stdout);
    const short = familiarName(name);
    context.print(
      `${/^[^/]*[.:][^/]*\//.test(short) ? short : `docker.io/${short.includes('/') ? '' : 'library/'}${short}`}\n`,
    );
    return 0;
  },
};
