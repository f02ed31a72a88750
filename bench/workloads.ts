import { command, type Subject, timed } from './subjects.ts';

/** Something to be timed on each subject. */
export interface Workload {
  name: string;
  /** Makes what the samples need, once a subject. Names carry `mark`. */
  prepare?(subject: Subject, mark: string): void;
  /** One sample, in milliseconds. */
  sample(subject: Subject, mark: string): number;
}

const LOG_BYTES = 10 << 20;
const MANY = 100;

/** Times client commands one after the other as one sample. */
function commands(subject: Subject, ...lines: string[][]): number {
  const [file, ...first] = subject.command;
  return lines.reduce((sum, args) => sum + timed(file as string, [...first, ...args], subject.env), 0);
}

const label = (mark: string) => ['--label', `wharf-bench=${mark}`];

/** All workloads, in the order of the table. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: 'run --rm busybox true',
    sample: (subject, mark) => commands(subject, ['run', '--rm', ...label(mark), 'busybox', 'true']),
  },
  {
    name: 'run --rm --net none busybox true',
    sample: (subject, mark) =>
      commands(subject, ['run', '--rm', '--net', 'none', ...label(mark), 'busybox', 'true']),
  },
  {
    name: 'exec true',
    prepare: (subject, mark) => {
      const name = `bench-exec-${mark}`;
      command(
        subject,
        'run',
        '-d',
        '--net',
        'none',
        '--name',
        name,
        ...label(mark),
        'busybox',
        'sleep',
        '3600',
      );
    },
    sample: (subject, mark) => commands(subject, ['exec', `bench-exec-${mark}`, 'true']),
  },
  {
    name: 'create + rm',
    sample: (subject, mark) => {
      const name = `bench-create-${mark}`;
      return commands(subject, ['create', '--name', name, ...label(mark), 'busybox', 'true'], ['rm', name]);
    },
  },
  {
    name: 'start + stop',
    prepare: (subject, mark) => {
      // Ends at once when it is told to, so that no grace time is measured.
      const flags = ['--name', `bench-start-${mark}`, '--stop-signal', 'KILL', ...label(mark)];
      command(subject, 'create', ...flags, 'busybox', 'sleep', '3600');
    },
    sample: (subject, mark) =>
      commands(subject, ['start', `bench-start-${mark}`], ['stop', `bench-start-${mark}`]),
  },
  {
    name: 'logs of 10 MB',
    prepare: (subject, mark) => {
      const flags = ['--net', 'none', '--name', `bench-logs-${mark}`, ...label(mark)];
      const script = `yes "$(seq -s ' ' 30)" | head -c ${LOG_BYTES}`;
      command(subject, 'run', '-d', ...flags, 'busybox', 'sh', '-c', script);
      command(subject, 'wait', `bench-logs-${mark}`);
    },
    sample: (subject, mark) => commands(subject, ['logs', `bench-logs-${mark}`]),
  },
  {
    name: 'ps -a with 100 containers',
    prepare: (subject, mark) => {
      for (let at = 0; at < MANY; at++)
        command(subject, 'create', '--net', 'none', ...label(mark), 'busybox', 'true');
    },
    sample: (subject) => commands(subject, ['ps', '-a']),
  },
  { name: 'version', sample: (subject) => commands(subject, ['version']) },
];

/** Removes whatever the workloads made on an engine. */
export function cleanUp(subject: Subject, mark: string): void {
  const ids = command(subject, 'ps', '-aq', '--filter', `label=wharf-bench=${mark}`).split('\n');
  const made = ids.filter(Boolean);
  if (made.length > 0) command(subject, 'rm', '--force', '--volumes', ...made);
}
