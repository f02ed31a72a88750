import { createInterface } from 'node:readline/promises';
import { filterText, type PruneKind, type PruneReport, planPrune, type Query } from '../client/index.ts';
import type { Context } from './command.ts';
import { type FlagSpec, flag, type ParsedFlags } from './flags.ts';
import { humanSize } from './human.ts';
import { isDryRun, planFlags, showPlan } from './plan.ts';
import { filterFlag, filtersOf } from './shared-flags.ts';

/** The flags of every prune. */
export function pruneFlags(filterHelp: string, extra: readonly FlagSpec[] = []): FlagSpec[] {
  return [
    ...extra,
    filterFlag(filterHelp, 'filter'),
    flag('f,force', 'bool', 'Do not prompt for confirmation'),
    ...planFlags,
  ];
}

/** What one prune is about. */
export interface Prune {
  kind: PruneKind;
  /** Said before it is asked for. */
  warning: string;
  /** What the plan's request says beside the filters. */
  query?: Query;
  work(filters: Filters): Promise<PruneReport[]>;
}

type Filters = Record<string, string[]>;

/** Shows the plan of a prune, or asks, does it, and prints what went. */
export async function prune(context: Context, flags: ParsedFlags, spec: Prune): Promise<number> {
  const filters = filtersOf(flags.list('filter'));
  if (isDryRun(flags)) {
    const query = { ...spec.query, filters: filterText(filters) };
    return showPlan(context, flags, await planPrune(context.client(), spec.kind, query));
  }
  if (!flags.bool('force') && !(await agreed(context, spec.warning))) return 0;
  const reports = await spec.work(filters);
  for (const report of reports) context.print(reportText(report));
  const reclaimed = reports.reduce((sum, report) => sum + (report.SpaceReclaimed ?? 0), 0);
  if (spec.kind !== 'networks') context.print(`Total reclaimed space: ${humanSize(reclaimed)}\n`);
  return 0;
}

async function agreed(context: Context, warning: string): Promise<boolean> {
  context.print(`${warning}Are you sure you want to continue? [y/N] `);
  const lines = createInterface({ input: context.stdin });
  try {
    for await (const line of lines) return line.trim().toLowerCase() === 'y';
    return false;
  } finally {
    lines.close();
  }
}

function reportText(report: PruneReport): string {
  const list = (title: string, names: readonly string[] | null | undefined) =>
    names?.length ? `Deleted ${title}:\n${names.map((name) => `${name}\n`).join('')}\n` : '';
  const images = report.ImagesDeleted?.map((step) =>
    step.Untagged ? `untagged: ${step.Untagged}` : `deleted: ${step.Deleted}`,
  );
  return (
    list('Containers', report.ContainersDeleted) +
    list('Networks', report.NetworksDeleted) +
    list('Volumes', report.VolumesDeleted) +
    list('Images', images) +
    list('build cache objects', report.CachesDeleted)
  );
}
