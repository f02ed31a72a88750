import { WharfError } from '../../../base/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { imageReference } from '../../manifest/entry.ts';
import { localLists } from '../../manifest/local-lists.ts';

/** What a list may name. Source: Docker's client, which refuses all others. */
const KNOWN: ReadonlySet<string> = new Set(
  (
    'linux/386 linux/amd64 linux/arm linux/arm64 linux/mips64 linux/mips64le linux/ppc64le linux/riscv64 ' +
    'linux/s390x darwin/386 darwin/amd64 darwin/arm darwin/arm64 windows/386 windows/amd64 freebsd/386 ' +
    'freebsd/amd64 freebsd/arm dragonfly/amd64 netbsd/386 netbsd/amd64 netbsd/arm openbsd/386 ' +
    'openbsd/amd64 openbsd/arm plan9/386 plan9/amd64 solaris/amd64'
  ).split(' '),
);

export const command: CommandSpec = {
  usage: '[OPTIONS] MANIFEST_LIST MANIFEST',
  summary: 'Add additional information to a local image manifest',
  flags: [
    flag('arch', 'string', 'Set architecture'),
    flag('os', 'string', 'Set operating system'),
    flag('os-features', 'strings', 'Set operating system feature'),
    flag('os-version', 'string', 'Set operating system version'),
    flag('variant', 'string', 'Set architecture variant'),
  ],
  arity: exactly(2),
  completes: 'remote',
  run(context, flags) {
    const [target = '', image = ''] = flags.operands;
    const list = imageReference(target, `annotate: error parsing name for manifest list ${target}: `);
    const name = imageReference(image, `annotate: error parsing name for manifest ${image}: `);
    const lists = localLists(context);
    const entry = lists.get(list, name);
    if (!entry) throw new WharfError('not-found', `manifest for image ${image} does not exist in ${target}`);
    const before = entry.platform ?? { architecture: '', os: '' };
    const features = [...new Set([...(before['os.features'] ?? []), ...flags.list('os-features')])];
    const version = flags.string('os-version') || before['os.version'];
    const variant = flags.string('variant') || before.variant;
    const platform = {
      architecture: flags.string('arch') || before.architecture,
      os: flags.string('os') || before.os,
      ...(version ? { 'os.version': version } : {}),
      ...(features.length > 0 ? { 'os.features': features } : {}),
      ...(variant ? { variant } : {}),
    };
    if (!KNOWN.has(`${platform.os}/${platform.architecture}`))
      throw new WharfError(
        'invalid',
        `manifest entry for image has unsupported os/arch combination: ${flags.string('os')}/${flags.string('arch')}`,
      );
    lists.save(list, name, { ...entry, platform });
    return 0;
  },
};
