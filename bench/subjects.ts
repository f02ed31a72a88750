import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stockClient, type TestDaemon, WHARF } from '../tests/e2e/support/index.ts';

/** Who does the work: a client on an engine. */
export interface Subject {
  /** `docker → wharfd`. */
  name: string;
  /** The client's command, with the engine's address. */
  command: string[];
  /** Address of the engine. */
  host: string;
  /** Settings of a client that no user has changed. */
  env: Record<string, string>;
}

/** The stock client on Wharf, `wharf` on Wharf, and the stock client on the reference engine where there is one. */
export function engineSubjects(daemon: TestDaemon, referenceHost: string | undefined): Subject[] {
  const env = { DOCKER_CONFIG: join(daemon.temporary, 'client') };
  const subject = (name: string, client: string, host: string): Subject => ({
    name,
    command: [client, '-H', host],
    host,
    env,
  });
  const stock = stockClient();
  return [
    ...(referenceHost ? [subject('docker → reference', stock, referenceHost)] : []),
    ...(stock === WHARF ? [] : [subject('docker → wharfd', stock, daemon.host)]),
    subject('wharf → wharfd', WHARF, daemon.host),
  ];
}

/** Runs a command that must succeed; its output. */
export function command(subject: Subject, ...args: string[]): string {
  const [file, ...first] = subject.command;
  const result = spawnSync(file as string, [...first, ...args], {
    env: { ...process.env, ...subject.env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  });
  if (result.status !== 0)
    throw new Error(`${subject.name}: ${args.join(' ')}: exit code ${result.status}\n${result.stderr}`);
  return result.stdout;
}

/** Milliseconds from before the start of a command until its end; its output is thrown away. Throws when it fails. */
export function timed(file: string, args: readonly string[], env: Record<string, string> = {}): number {
  const merged = { ...process.env, ...env };
  const before = process.hrtime.bigint();
  const { status, error } = spawnSync(file, args, { env: merged, stdio: 'ignore' });
  const after = process.hrtime.bigint();
  if (status !== 0)
    throw new Error(`${file} ${args.join(' ')}: exit code ${status}${error ? `: ${error}` : ''}`);
  return Number(after - before) / 1e6;
}

/** A bundle for `crun run` without any engine: the least that running a container can take. */
export function makeBundle(folder: string): string {
  const bundle = join(folder, 'bundle');
  mkdirSync(join(bundle, 'rootfs/bin'), { recursive: true });
  copyFileSync('/bin/busybox', join(bundle, 'rootfs/bin/true'));
  const made = spawnSync('crun', ['spec', '--bundle', bundle], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`crun spec: ${made.stderr}`);
  const file = join(bundle, 'config.json');
  const spec = JSON.parse(readFileSync(file, 'utf8')) as { process: { terminal: boolean; args: string[] } };
  spec.process.terminal = false;
  spec.process.args = ['/bin/true'];
  writeFileSync(file, JSON.stringify(spec));
  return bundle;
}
