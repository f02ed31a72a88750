/**
 * How fast data moves: `npm run bench:data -- [--rounds N] [--only TEXT] [--record]`. What it measures is told in
 * bench/README.md. It asserts no time. REFERENCE_HOST (a DOCKER_HOST) names an engine to compare with; `--alone` leaves Wharf out.
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { TestDaemon } from '../../tests/e2e/support/index.ts';
import { RoundTable } from '../rounds.ts';
import { engineSubjects } from '../subjects.ts';
import { measureTail } from './logs.ts';
import { type Bench, measureBigCopy, measureCopyUp, measureLayers, measureManyCopies } from './parts.ts';
import { DataSite } from './site.ts';

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    record: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
  },
});

const PARTS: [string, (bench: Bench) => Promise<void>][] = [
  ['tail', measureTail],
  ['copy-up', measureCopyUp],
  ['layers', measureLayers],
  ['big', measureBigCopy],
  ['many', measureManyCopies],
];

const table = new RoundTable(Number(given.rounds));
const notes: string[] = [];
const daemon = new TestDaemon();
const date = new Date().toISOString();
const load = loadavg()[0] ?? 0;
const sites: DataSite[] = [];
try {
  if (!given.alone) await daemon.start();
  const subjects = engineSubjects(daemon, process.env['REFERENCE_HOST'] || undefined);
  for (const subject of subjects)
    if (!given.alone || subject.host !== daemon.host) sites.push(new DataSite(subject));
  for (const [name, part] of PARTS.filter(([name]) => name.startsWith(given.only)))
    await part({ table, sites, folder: daemon.temporary }).catch((thrown: unknown) => {
      notes.push(`Not measured to its end: ${name}: ${String(thrown)}`);
      console.error(thrown);
    });
  const text = [
    `Measured ${date}: ${cpus().length} processors, kernel ${release()}, load at the start ${load.toFixed(2)}; ${given.rounds} rounds.`,
    '',
    '| what | who | median (quartiles) | better than the first |',
    '|---|---|---|---|',
    ...table.lines(),
    '',
    ...notes.map((note) => `- ${note}`),
    '',
  ].join('\n');
  if (given.record)
    writeFileSync(
      join(import.meta.dirname, '../DATA.md'),
      `# How fast data moves\n\nHow to read it: README.md.\n\n${text}`,
    );
  console.log(text);
} finally {
  for (const site of sites) site.dispose();
  await daemon.dispose();
}
