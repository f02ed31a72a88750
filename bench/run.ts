/**
 * The benchmark: `npm run bench -- [--rounds N] [--only TEXT] [--record]`. What it measures and how to read it is told in
 * bench/README.md. It asserts no time. REFERENCE_HOST (a DOCKER_HOST) names an engine to compare with.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execute, TestDaemon, WHARFD } from '../tests/e2e/support/index.ts';
import { dockerdOf, pssOfTree } from './memory.ts';
import { type Findings, report } from './report.ts';
import { STEPS, type Step, TimedApi } from './requests.ts';
import { engineSubjects, makeBundle, type Subject, timed } from './subjects.ts';
import { cleanUp, WORKLOADS } from './workloads.ts';

const WARM_UP = 3;
const READY_SAMPLES = 7;
const FLOOR = 'crun run';

interface Options {
  rounds: number;
  only: string;
  record: boolean;
  referenceHost: string | undefined;
}

function options(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '20' },
      only: { type: 'string', default: '' },
      record: { type: 'boolean', default: false },
    },
  });
  const { rounds, only, record } = values;
  return { rounds: Number(rounds), only, record, referenceHost: process.env['REFERENCE_HOST'] || undefined };
}

/** Each subject in each round, starting with another one every time, so that drift hits all alike. */
function rotated<T>(items: readonly T[], round: number): T[] {
  const at = round % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

function measureWorkloads(
  subjects: Subject[],
  mark: string,
  bundle: string,
  { rounds, only }: Options,
): Findings['samples'] {
  const samples: Findings['samples'] = {};
  for (const workload of WORKLOADS.filter(({ name }) => name.includes(only))) {
    const found: Record<string, number[]> = Object.fromEntries(subjects.map(({ name }) => [name, []]));
    const runs = subjects.map(({ name }) => name);
    const floor = workload.name.startsWith('run');
    if (floor) {
      found[FLOOR] = [];
      runs.push(FLOOR);
    }
    // Two subjects of one engine share what the first of them prepares.
    const hosts = new Map(subjects.map((subject) => [subject.host, subject]));
    for (const subject of hosts.values()) workload.prepare?.(subject, mark);
    for (let round = -WARM_UP; round < rounds; round++) {
      for (const name of rotated(runs, round + WARM_UP)) {
        const subject = subjects.find((one) => one.name === name);
        const value = subject
          ? workload.sample(subject, mark)
          : timed('crun', ['run', '--bundle', bundle, `bench-${mark}-${round + WARM_UP}`]);
        if (round >= 0) found[name]?.push(value);
      }
    }
    samples[workload.name] = found;
    for (const subject of hosts.values()) cleanUp(subject, mark);
    console.error(`measured: ${workload.name}`);
  }
  return samples;
}

async function measureRequests(
  subjects: Subject[],
  mark: string,
  rounds: number,
): Promise<Findings['requests']> {
  const engines = [...new Map(subjects.map(({ host, name }) => [host, name.split(' → ')[1] as string]))];
  const found: Findings['requests'] = {};
  for (const mode of ['bridge', 'none']) {
    const steps = Object.fromEntries(
      engines.map(([, name]) => [name, Object.fromEntries(STEPS.map((step) => [step, [] as number[]]))]),
    ) as Record<string, Record<Step, number[]>>;
    const apis = engines.map(([host, name]) => ({ name, api: new TimedApi(host) }));
    for (let round = -WARM_UP; round < rounds; round++)
      for (const { name, api } of rotated(apis, round + WARM_UP)) {
        const times = await api.run(mark, mode);
        if (round >= 0) for (const step of STEPS) steps[name]?.[step].push(times[step]);
      }
    for (const { api } of apis) api.close();
    found[mode] = steps;
  }
  return found;
}

function ping(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const outgoing = request({ socketPath, path: '/_ping', agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    outgoing.on('error', () => resolve(false));
    outgoing.end();
  });
}

/** Milliseconds from spawn to the first good answer. */
async function readyTime(daemon: TestDaemon): Promise<number> {
  const begin = performance.now();
  daemon.spawn();
  while (!(await ping(daemon.socket))) await new Promise((resolve) => setTimeout(resolve, 1));
  return performance.now() - begin;
}

async function measureReady(): Promise<Findings['ready']> {
  const ready: Findings['ready'] = { new: [], used: [] };
  for (let sample = 0; sample < READY_SAMPLES; sample++) {
    const daemon = new TestDaemon({ busybox: false });
    try {
      ready['new']?.push(await readyTime(daemon));
      await daemon.stop();
      ready['used']?.push(await readyTime(daemon));
    } finally {
      await daemon.dispose();
    }
  }
  return ready;
}

/** Spans that the daemon wrote about runs of containers, by name, in milliseconds. */
async function measureSpans(rounds: number): Promise<Findings['spans']> {
  const help = await execute(WHARFD, ['--help']);
  if (!help.stdout.includes('--trace-file')) {
    console.error('no view inside: this wharfd has no --trace-file');
    return {};
  }
  const flags = ['--trace-file'];
  const daemon = new TestDaemon({ flags });
  const file = join(daemon.temporary, 'trace.jsonl');
  flags.push(file);
  try {
    await daemon.start();
    for (let round = 0; round < WARM_UP; round++) await daemon.ok('run', '--rm', 'busybox', 'true');
    rmSync(file, { force: true });
    writeFileSync(file, '');
    for (let round = 0; round < rounds; round++) await daemon.ok('run', '--rm', 'busybox', 'true');
    await daemon.stop();
    return readSpans(file);
  } finally {
    await daemon.dispose();
  }
}

function readSpans(file: string): Findings['spans'] {
  const spans: Findings['spans'] = {};
  if (!existsSync(file)) return spans;
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const { name, ms } = JSON.parse(line) as { name: string; ms: number };
    spans[name] ??= [];
    spans[name].push(ms);
  }
  return spans;
}

function measureMemory(
  daemon: TestDaemon,
  moment: string,
  referenceHost: string | undefined,
): Findings['memory'] {
  const dockerd = referenceHost ? dockerdOf(referenceHost) : undefined;
  return {
    [`wharfd, ${moment}`]: pssOfTree(daemon.pid),
    ...(dockerd ? { [`reference (dockerd, containerd), ${moment}`]: pssOfTree(dockerd) } : {}),
  };
}

async function version(file: string, ...args: string[]): Promise<string> {
  const outcome = await execute(file, args);
  return (/\d+\.\d+[\w.+-]*/.exec(outcome.stdout) ?? ['?'])[0];
}

async function measure(given: Options): Promise<Findings> {
  const mark = randomBytes(3).toString('hex');
  const findings: Findings = {
    date: new Date().toISOString(),
    machine: {
      kernel: release(),
      cpus: cpus().length,
      cpu: cpus()[0]?.model.trim() || 'processor',
      memory: totalmem(),
      load: loadavg()[0] ?? 0,
    },
    versions: {
      wharf: await version(WHARFD, '--version'),
      crun: await version('crun', '--version'),
      docker: await version('docker', '--version'),
    },
    samples: {},
    requests: {},
    spans: {},
    ready: {},
    memory: {},
  };
  findings.ready = await measureReady();
  const daemon = new TestDaemon();
  try {
    await daemon.start();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    findings.memory = measureMemory(daemon, 'idle', given.referenceHost);
    const subjects = engineSubjects(daemon, given.referenceHost);
    try {
      findings.samples = measureWorkloads(subjects, mark, makeBundle(daemon.temporary), given);
      findings.requests = await measureRequests(subjects, mark, given.rounds);
    } finally {
      for (const subject of subjects) cleanUp(subject, mark);
    }
    Object.assign(findings.memory, measureMemory(daemon, 'after the load', given.referenceHost));
  } finally {
    await daemon.dispose();
  }
  findings.spans = await measureSpans(given.rounds);
  return findings;
}

const given = options();
const findings = await measure(given);
const text = report(findings);
const out = join(import.meta.dirname, 'out');
mkdirSync(out, { recursive: true });
writeFileSync(join(out, `${findings.date.replaceAll(':', '-')}.json`), `${JSON.stringify(findings)}\n`);
if (given.record)
  writeFileSync(
    join(import.meta.dirname, 'RESULTS.md'),
    `# Results\n\nHow to read them: README.md.\n\n${text}`,
  );
console.log(text);
