import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hash } from 'bcryptjs';
import { makeCertificates } from './certificates.ts';
import { WHARF } from './clients.ts';
import { eventually } from './command.ts';
import type { OciImage } from './oci-image.ts';

/** Whose registry a test talks to: `wharf registry serve`, or Debian's `docker-registry`. */
export type RegistryKind = 'wharf' | 'docker-registry';

export interface RegistryOptions {
  /** Users are asked for: `ada` with the password `lovelace`. */
  users?: boolean;
  tls?: boolean;
  /** Further flags of `wharf registry serve`. */
  flags?: string[];
}

export const USER = 'ada';
export const PASSWORD = 'lovelace';

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** An answer of a registry. */
export interface RegistryAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** A registry of one's own on loopback, with a root of its own that goes with it. */
export class TestRegistry implements AsyncDisposable {
  readonly kind: RegistryKind;
  readonly folder = mkdtempSync(join(tmpdir(), 'wharf-e2e-registry-'));
  /** Everything that the registry keeps. */
  readonly root = join(this.folder, 'root');
  readonly logFile = join(this.folder, 'log');
  readonly options: RegistryOptions;
  /** `localhost:PORT`, which clients take for a name of a registry. */
  address = '';
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();

  private constructor(kind: RegistryKind, options: RegistryOptions) {
    this.kind = kind;
    this.options = options;
  }

  /** Starts a registry on a free port and waits until it answers. */
  static async start(kind: RegistryKind, options: RegistryOptions = {}): Promise<TestRegistry> {
    const registry = new TestRegistry(kind, options);
    try {
      mkdirSync(registry.root);
      registry.address = `localhost:${await freePort()}`;
      if (options.users) writeFileSync(registry.#path('users'), `${USER}:${await hash(PASSWORD, 5)}\n`);
      if (options.tls) {
        mkdirSync(registry.certificates);
        await makeCertificates(registry.certificates);
        // As `*.crt` is what clients take for a CA in a folder of certificates.
        mkdirSync(registry.#path('ca'));
        writeFileSync(registry.#path('ca/ca.crt'), readFileSync(join(registry.certificates, 'ca.pem')));
      }
      if (kind === 'docker-registry') registry.#writeConfig();
      await registry.run();
    } catch (thrown) {
      await registry[Symbol.asyncDispose]();
      throw thrown;
    }
    return registry;
  }

  /** Where `ca.pem`, `server-cert.pem` and so on lie. */
  get certificates(): string {
    return this.#path('certificates');
  }

  /** A folder with `ca.crt`, for `--cert-dir` of skopeo and podman. */
  get caFolder(): string {
    return this.#path('ca');
  }

  get pid(): number {
    assert.ok(this.#child?.pid, 'the registry does not run');
    return this.#child.pid;
  }

  #path(name: string): string {
    return join(this.folder, name);
  }

  #writeConfig(): void {
    const { users, tls } = this.options;
    const file = (name: string) => join(this.certificates, name);
    const lines = [
      'version: 0.1',
      'log: { level: error, accesslog: { disabled: true } }',
      `storage: { filesystem: { rootdirectory: "${this.root}" }, delete: { enabled: true } }`,
      'http:',
      `  addr: "127.0.0.1:${this.port}"`,
      ...(tls
        ? [`  tls: { certificate: "${file('server-cert.pem')}", key: "${file('server-key.pem')}" }`]
        : []),
      ...(users ? [`auth: { htpasswd: { realm: test, path: "${this.#path('users')}" } }`] : []),
    ];
    writeFileSync(this.#path('config.yml'), `${lines.join('\n')}\n`);
  }

  get port(): number {
    return Number(this.address.split(':')[1]);
  }

  #command(): string[] {
    if (this.kind === 'docker-registry') return ['docker-registry', 'serve', this.#path('config.yml')];
    const { users, tls, flags = [] } = this.options;
    const file = (name: string) => join(this.certificates, name);
    return [
      ...[WHARF, 'registry', 'serve', '--root', this.root, '--listen', `127.0.0.1:${this.port}`],
      ...(users ? ['--htpasswd', this.#path('users')] : []),
      ...(tls ? ['--tlscert', file('server-cert.pem'), '--tlskey', file('server-key.pem')] : []),
      ...flags,
    ];
  }

  /** Starts the process, for the first time or again, and waits until it answers. */
  async run(): Promise<void> {
    const log = openSync(this.logFile, 'a');
    const [file = '', ...args] = this.#command();
    const child = spawn(file, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.on('exit', resolve);
      child.on('error', resolve);
    });
    const answers = async () =>
      child.exitCode !== null ||
      (await this.ask('GET', '/v2/').then(
        ({ status }) => status < 500,
        () => false,
      ));
    await eventually(answers, Boolean, `${this.kind} answers\n${this.log()}`, 20_000);
    assert.equal(child.exitCode, null, `${this.kind} ended at once:\n${this.log()}`);
  }

  /** What it has logged. */
  log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  /** Ends it by a signal, and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#child?.kill(signal);
    await this.#ended;
  }

  /**
   * What is to be done after a kill: `docker-registry` writes its links in place, and one that was half written answers 500
   * for good, so it begins anew. Ours is left as it is.
   */
  mend(): void {
    if (this.kind === 'wharf') return;
    rmSync(this.root, { recursive: true, force: true });
    mkdirSync(this.root);
  }

  /** One request, with the user's name and password where the registry asks for them. TLS is verified. */
  ask(
    method: string,
    path: string,
    given: { headers?: Record<string, string>; body?: Uint8Array; anonymous?: boolean } = {},
  ): Promise<RegistryAnswer> {
    const { users, tls } = this.options;
    const headers: Record<string, string> = { ...given.headers };
    if (users && !given.anonymous)
      headers['Authorization'] = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
    const options = {
      method,
      headers,
      agent: false as const,
      ...(tls ? { ca: readFileSync(join(this.certificates, 'ca.pem')) } : {}),
    };
    const send = tls ? tlsRequest : plainRequest;
    return new Promise((resolve, reject) => {
      const outgoing = send(`${tls ? 'https' : 'http'}://${this.address}${path}`, options, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(given.body);
    });
  }

  /** Stores an image under a tag, by plain requests. */
  async store(path: string, image: OciImage, tag: string): Promise<void> {
    for (const { digest, bytes } of [...image.layers, image.config]) {
      const begun = await this.ask('POST', `/v2/${path}/blobs/uploads/`);
      assert.equal(begun.status, 202, String(begun.body));
      const place = new URL(String(begun.headers['location']), `http://${this.address}`);
      place.searchParams.set('digest', digest);
      const put = await this.ask('PUT', place.pathname + place.search, { body: bytes });
      assert.equal(put.status, 201, String(put.body));
    }
    const headers = { 'Content-Type': image.manifest.mediaType };
    const put = await this.ask('PUT', `/v2/${path}/manifests/${tag}`, {
      headers,
      body: image.manifest.bytes,
    });
    assert.equal(put.status, 201, String(put.body));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
