import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WHARF } from '../../tests/e2e/support/index.ts';

/** A registry server of the benchmark's own, on a port of loopback, with a root of its own. */
export interface RegistryServer extends AsyncDisposable {
  name: string;
  /** `127.0.0.1:PORT`. */
  address: string;
  pid: number;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const outgoing = request(`http://${address}/v2/`, { agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    outgoing.on('error', () => resolve(false));
    outgoing.end();
  });
}

async function started(
  name: string,
  address: string,
  root: string,
  child: ChildProcess,
): Promise<RegistryServer> {
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const limit = Date.now() + 20_000;
  while (!(await answers(address))) {
    if (child.exitCode !== null || Date.now() > limit)
      throw new Error(`${name} does not answer at ${address}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    name,
    address,
    pid: child.pid as number,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

const newRoot = () => mkdtempSync(join(tmpdir(), 'wharf-bench-registry-'));

/** Debian's `docker-registry`, with its file driver and without log. */
export async function startDebianRegistry(): Promise<RegistryServer> {
  const root = newRoot();
  const address = `127.0.0.1:${await freePort()}`;
  const file = join(root, 'config.yml');
  mkdirSync(join(root, 'data'));
  writeFileSync(
    file,
    [
      'version: 0.1',
      'log: { level: error, accesslog: { disabled: true } }',
      `storage: { filesystem: { rootdirectory: "${join(root, 'data')}" }, delete: { enabled: true } }`,
      `http: { addr: "${address}" }`,
    ].join('\n'),
  );
  const child = spawn('docker-registry', ['serve', file], { stdio: 'ignore' });
  return started('docker-registry', address, root, child);
}

/** `wharf registry serve`, open to everybody on loopback. */
export async function startWharfRegistry(): Promise<RegistryServer> {
  const root = newRoot();
  const address = `127.0.0.1:${await freePort()}`;
  const args = ['registry', 'serve', '--root', join(root, 'data'), '--listen', address];
  const child = spawn(WHARF, args, { stdio: 'ignore' });
  return started('wharf registry', address, root, child);
}
