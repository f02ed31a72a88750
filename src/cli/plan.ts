import type { Plan } from '../api/index.ts';
import { WharfError } from '../base/index.ts';
import type { Context } from './command.ts';
import { type FlagSpec, flag, type ParsedFlags } from './flags.ts';
import { humanSize, truncateId } from './human.ts';
import { listFormat } from './shared-flags.ts';
import { renderListing, row } from './table.ts';

const HEADERS = {
  Kind: 'KIND',
  ID: 'ID',
  Name: 'NAME',
  Size: 'SIZE',
  Bytes: 'BYTES',
  Reason: 'STAYS BECAUSE',
};

/** The flags of every command that takes something away. */
export const planFlags: readonly FlagSpec[] = [
  flag(
    'dry-run',
    'bool',
    'Show what would be removed, with the disk space that it frees, and remove nothing',
  ),
  { ...listFormat(), text: `With --dry-run: ${listFormat().text}` },
];

/** Whether a plan is wanted, rather than the deed. Throws WharfError `invalid` for a format of nothing. */
export function isDryRun(flags: ParsedFlags): boolean {
  if (flags.bool('dry-run')) return true;
  if (flags.changed('format')) throw new WharfError('invalid', '--format needs --dry-run');
  return false;
}

/**
 * Prints what a command would take away. The exit code is 1 when something that was named would stay, as the command's
 * own would be.
 */
export async function showPlan(context: Context, flags: ParsedFlags, plan: Plan): Promise<number> {
  const format = flags.string('format');
  const failed = plan.Items.some(({ Reason }) => Reason !== undefined) ? 1 : 0;
  if (format === 'json') {
    context.print(`${JSON.stringify(plan)}\n`);
    return failed;
  }
  const standard = format === '' || format === 'table';
  const going = plan.Items.filter(({ Reason }) => Reason === undefined).length;
  const reasons = going < plan.Items.length ? '\t{{.Reason}}' : '';
  const rows = plan.Items.map((item) =>
    row({
      Kind: () => item.Kind,
      ID: () => truncateId(item.ID),
      Name: () => item.Name,
      Size: () => humanSize(item.Bytes),
      Bytes: () => String(item.Bytes),
      Reason: () => item.Reason ?? '',
    }),
  );
  if (plan.Items.length > 0 || !standard)
    context.print(
      await renderListing({
        format: standard ? `table {{.Kind}}\t{{.ID}}\t{{.Name}}\t{{.Size}}${reasons}` : format,
        typeName: '*formatter.planContext',
        headers: HEADERS,
        rows,
      }),
    );
  if (standard)
    context.print(
      going === 0
        ? 'Nothing would be removed.\n'
        : `Total: ${humanSize(plan.Bytes)} would be freed. Nothing was removed: this was a dry run.\n`,
    );
  return failed;
}
