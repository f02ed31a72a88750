import type { Step } from './requests.ts';
import { pairedRatio, type Spread, spread } from './statistics.ts';

/** Everything a run of the benchmark has found; what `bench/out/<date>.json` holds. Times in ms, memory in bytes. */
export interface Findings {
  date: string;
  machine: { kernel: string; cpus: number; cpu: string; memory: number; load: number };
  versions: Record<string, string>;
  /** Workload → subject → samples, in the order of the rounds. */
  samples: Record<string, Record<string, number[]>>;
  /** Network mode → engine → step → samples. */
  requests: Record<string, Record<string, Record<Step, number[]>>>;
  /** Span → samples, from the daemon's own trace; empty when it writes none. */
  spans: Record<string, number[]>;
  /** Spawn of wharfd until the first good `_ping`: on a new data root, and on one that was used. */
  ready: Record<string, number[]>;
  /** Proportional set size: engine and moment → bytes. */
  memory: Record<string, number>;
}

const number = (value: number) => (Number.isNaN(value) ? '–' : value.toFixed(value < 10 ? 2 : 1));
const ms = ({ median, q1, q3 }: Spread) => `${number(median)} (${number(q1)}–${number(q3)})`;
const times = ({ median, q1, q3 }: Spread) => `${number(median)}× (${number(q1)}–${number(q3)})`;

function table(head: string[], rows: string[][]): string {
  const widths = head.map((cell, at) => Math.max(cell.length, ...rows.map((row) => (row[at] ?? '').length)));
  const line = (row: string[]) =>
    `| ${widths.map((width, at) => (row[at] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join(
    '\n',
  );
}

function workloadTable(samples: Findings['samples'], base: string): string {
  const rows = Object.entries(samples).flatMap(([workload, subjects]) =>
    Object.entries(subjects).map(([subject, values]) => {
      const reference = subjects[base];
      const ratio = reference && subject !== base ? times(pairedRatio(reference, values)) : '';
      return [workload, subject, ms(spread(values)), ratio];
    }),
  );
  return table(['workload', 'subject', 'ms: median (quartiles)', `faster than ${base}`], rows);
}

function requestTable(requests: Findings['requests']): string {
  const rows = Object.entries(requests).flatMap(([mode, engines]) =>
    Object.entries(engines).flatMap(([engine, steps]) =>
      Object.entries(steps).map(([step, values]) => [
        `run, network ${mode}`,
        engine,
        step,
        ms(spread(values)),
      ]),
    ),
  );
  return table(['what', 'engine', 'step', 'ms: median (quartiles)'], rows);
}

function spanTable(spans: Findings['spans']): string {
  const rows = Object.entries(spans).map(([name, values]) => [
    name,
    ms(spread(values)),
    String(values.length),
  ]);
  return table(['span of wharfd', 'ms: median (quartiles)', 'samples'], rows);
}

/** The findings as Markdown. */
export function report(findings: Findings): string {
  const { machine, versions, samples, requests, spans, ready, memory } = findings;
  const first = Object.values(samples)[0] ?? {};
  const base = Object.keys(first)[0] ?? '';
  const versionList = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const parts = [
    `Measured ${findings.date}: ${machine.cpus} × ${machine.cpu}, kernel ${machine.kernel}, load at the start ${machine.load.toFixed(2)}; ${versionList.join(', ')}.`,
    '## Commands',
    workloadTable(samples, base),
    '## A run, request by request',
    requestTable(requests),
  ];
  if (Object.keys(spans).length > 0) parts.push('## A run, inside wharfd', spanTable(spans));
  const readyRows = Object.entries(ready).map(([name, values]) => [name, ms(spread(values))]);
  const memoryRows = Object.entries(memory).map(([name, bytes]) => [name, (bytes / 2 ** 20).toFixed(1)]);
  parts.push(
    '## Ready: from the spawn of wharfd to its first answer',
    table(['data root', 'ms: median (quartiles)'], readyRows),
    '## Memory: proportional set size of all processes of the engine',
    table(['engine', 'MiB'], memoryRows),
  );
  return `${parts.join('\n\n')}\n`;
}
