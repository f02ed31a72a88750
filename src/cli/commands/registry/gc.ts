import { existsSync } from 'node:fs';
import { silentLog } from '../../../base/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { flag } from '../../flags.ts';
import { humanSize } from '../../human.ts';
import { DEFAULT_ROOT } from './serve.ts';

/** Where a daemon keeps the registry that it serves itself. */
const DAEMON_ROOT = '/var/lib/wharf/registry';

const NANOS_PER_MS = 1e6;
const HOUR = 3600e3 * NANOS_PER_MS;

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Remove what no repository of a registry needs',
  flags: [
    flag('dry-run', 'bool', 'Only say what would be removed'),
    flag('grace', 'duration', 'Keep what came so recently though nothing names it: a push may be about to', {
      default: HOUR,
      shown: '1h0m0s',
    }),
    flag('json', 'bool', 'Print the report in JSON format'),
    flag(
      'root',
      'string',
      `Folder of the registry (default ${DEFAULT_ROOT}, or ${DAEMON_ROOT} where only that one is)`,
      { typeName: 'folder' },
    ),
    flag('untagged', 'bool', 'Remove manifests that no tag reaches, too'),
  ],
  arity: NO_OPERANDS,
  async run(context, flags) {
    const { collectRegistry } = await import('../../../registryd/index.ts');
    const asked = flags.string('root');
    const root =
      asked !== ''
        ? asked
        : !existsSync(DEFAULT_ROOT) && existsSync(DAEMON_ROOT)
          ? DAEMON_ROOT
          : DEFAULT_ROOT;
    const dryRun = flags.bool('dry-run');
    const report = await collectRegistry(
      root,
      { dryRun, untagged: flags.bool('untagged'), graceMs: flags.number('grace') / NANOS_PER_MS },
      silentLog,
    );
    if (flags.bool('json')) {
      context.print(`${JSON.stringify(report, null, 4)}\n`);
      return 0;
    }
    const verb = dryRun ? 'would remove' : 'removed';
    for (const { repository, digest } of report.manifests)
      context.print(`${verb} manifest ${repository}@${digest}\n`);
    for (const { repository, id, size } of report.uploads)
      context.print(`${verb} upload ${id} of ${repository} (${humanSize(size)})\n`);
    for (const { digest, size } of report.blobs)
      context.print(`${verb} blob ${digest} (${humanSize(size)})\n`);
    context.print(`Total ${dryRun ? 'reclaimable' : 'reclaimed'} space: ${humanSize(report.bytes)}\n`);
    return 0;
  },
};
