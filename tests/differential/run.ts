import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { normalise } from './normalise.ts';

/** One way to run a script: a client against an engine. */
interface Lane {
  name: string;
  client: string;
  host: string;
}

interface Outcome {
  script: string;
  same: Record<string, boolean>;
  outputs: Record<string, string>;
}

const HERE = import.meta.dirname;
const WHARF = join(HERE, '..', '..', 'bin', 'wharf');
/** A script that takes longer has hung, in milliseconds. */
const LIMIT = 60_000;

/** Runs one script and gives its normalised output with the exit code. */
async function runScript(file: string, lane: Lane): Promise<string> {
  const name = `df${randomBytes(4).toString('hex')}`;
  const env = {
    ...process.env,
    DOCKER: lane.client,
    DOCKER_HOST: lane.host,
    WHARF_HOST: lane.host,
    DOCKER_API_VERSION: '1.50',
    N: name,
    TZ: 'UTC',
  };
  const child = spawn('sh', [file], { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT });
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  child.stderr.on('data', (part: Buffer) => parts.push(part));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return `${normalise(Buffer.concat(parts).toString(), name)}[exit ${code}]\n`;
}

function lanes(): Lane[] {
  const reference = process.env['REFERENCE_HOST'];
  if (!reference)
    throw new Error(
      'set REFERENCE_HOST to the address of the reference engine, and WHARF_HOST to that of wharfd',
    );
  const wharf = process.env['WHARF_HOST'];
  const first: Lane = { name: 'docker on reference', client: 'docker', host: reference };
  if (!wharf)
    return [
      first,
      { ...first, name: 'docker on reference, again' },
      { name: 'wharf on reference', client: WHARF, host: reference },
    ];
  return [
    first,
    { name: 'docker on Wharf', client: 'docker', host: wharf },
    { name: 'wharf on Wharf', client: WHARF, host: wharf },
  ];
}

async function compare(script: string, ways: readonly Lane[]): Promise<Outcome> {
  const outputs: Record<string, string> = {};
  for (const lane of ways) outputs[lane.name] = await runScript(script, lane);
  const [first, ...others] = ways;
  const expected = outputs[first?.name ?? ''];
  return {
    script: basename(script, '.sh'),
    outputs,
    same: Object.fromEntries(others.map((lane) => [lane.name, outputs[lane.name] === expected])),
  };
}

type Score = Pick<Outcome, 'script' | 'same'>;

/** The score of this run; when only some scripts ran, the others keep what the last run said. */
function merged(outcomes: readonly Outcome[], partial: boolean): Score[] {
  const now = outcomes.map(({ script, same }): Score => ({ script, same }));
  if (!partial) return now;
  const before = JSON.parse(readFileSync(join(HERE, 'score.json'), 'utf8')) as Score[];
  const fresh = new Map(now.map((each) => [each.script, each]));
  const known = new Set(before.map((each) => each.script));
  const all = [
    ...before.map((each) => fresh.get(each.script) ?? each),
    ...now.filter((each) => !known.has(each.script)),
  ];
  return all.sort((one, other) => (one.script < other.script ? -1 : 1));
}

function report(outcomes: readonly Score[], others: readonly string[]): string {
  const count = (name: string) => outcomes.filter((each) => each.same[name]).length;
  const lines = [
    '# Differential score',
    '',
    `Scripts: ${outcomes.length}. Each column is compared with the stock client on the reference engine.`,
    '',
    `| script | ${others.join(' | ')} |`,
    `|---|${others.map(() => '---').join('|')}|`,
  ];
  lines.push(`| **all** | ${others.map((name) => `**${count(name)}/${outcomes.length}**`).join(' | ')} |`);
  for (const each of outcomes)
    lines.push(
      `| ${each.script} | ${others.map((name) => (each.same[name] ? 'same' : 'differs')).join(' | ')} |`,
    );
  return `${lines.join('\n')}\n`;
}

async function main(): Promise<number> {
  const ways = lanes();
  const wanted = process.argv.slice(2);
  const folder = join(HERE, 'scripts');
  const scripts = readdirSync(folder)
    .filter(
      (name) => name.endsWith('.sh') && (wanted.length === 0 || wanted.some((each) => name.includes(each))),
    )
    .sort();
  const outcomes: Outcome[] = [];
  for (const script of scripts) {
    const outcome = await compare(join(folder, script), ways);
    outcomes.push(outcome);
    const bad = Object.entries(outcome.same).filter(([, same]) => !same);
    process.stdout.write(`${bad.length === 0 ? 'same   ' : 'differs'} ${outcome.script}\n`);
    for (const [name] of bad) {
      process.stdout.write(
        `--- ${ways[0]?.name}\n${outcome.outputs[ways[0]?.name ?? '']}--- ${name}\n${outcome.outputs[name]}`,
      );
    }
  }
  const others = ways.slice(1).map((lane) => lane.name);
  const scored = merged(outcomes, wanted.length > 0);
  writeFileSync(join(HERE, 'score.md'), report(scored, others));
  writeFileSync(join(HERE, 'score.json'), `${JSON.stringify(scored, null, 2)}\n`);
  return outcomes.every((each) => Object.values(each.same).every(Boolean)) ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (thrown: unknown) => {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    process.exit(1);
  },
);
