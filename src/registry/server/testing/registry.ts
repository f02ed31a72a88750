import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../../base/index.ts';
import {
  type ContentStore,
  Leases,
  openContentStore,
  openMemoryContentStore,
} from '../../../content/index.ts';
import { type Database, openDatabase, openMemoryDatabase } from '../../../meta/index.ts';
import { type Digest, digestOf, MediaTypes } from '../../../oci/index.ts';
import {
  type AuditEntry,
  createRegistryServer,
  type Gatekeeper,
  type LocalStorage,
  openGatekeeper,
  openLocalStorage,
  type RegistryServer,
} from '../index.ts';

/** What a registry answered. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** How a request is sent. */
export interface Ask {
  headers?: Record<string, string>;
  body?: Buffer | string | AsyncIterable<Uint8Array>;
}

/** How a registry for tests is to be. */
export interface TestOptions {
  /** On disk, to be closed and opened again; in memory otherwise. */
  disk?: boolean;
  gatekeeper?: Gatekeeper;
  stallMs?: number;
}

/** A registry on a loopback port, with all that it stands on. */
export class TestRegistry implements AsyncDisposable {
  readonly audit: AuditEntry[] = [];
  /** Set to turn the registry's clock; milliseconds since 1970. */
  now = Date.now();
  readonly leases = new Leases();
  content!: ContentStore;
  storage!: LocalStorage;
  port = 0;
  private readonly dir: string | undefined;
  private readonly options: TestOptions;
  private database!: Database;
  private registry!: RegistryServer;
  private server!: Server;
  private readonly agent = new Agent({ keepAlive: true });

  private constructor(dir: string | undefined, options: TestOptions) {
    this.dir = dir;
    this.options = options;
  }

  static async open(options: TestOptions = {}): Promise<TestRegistry> {
    const dir = options.disk ? mkdtempSync(join(tmpdir(), 'wharf-registry-')) : undefined;
    const registry = new TestRegistry(dir, options);
    registry.content = dir === undefined ? openMemoryContentStore() : openContentStore(join(dir, 'content'));
    registry.database = dir === undefined ? openMemoryDatabase() : openDatabase(join(dir, 'db', 'wharf.db'));
    await registry.start();
    return registry;
  }

  /** Ends the server and all that it had in memory, and starts another on the same content and records. */
  async restart(): Promise<void> {
    await this.stop();
    if (this.dir !== undefined) {
      this.database[Symbol.dispose]();
      this.content = openContentStore(join(this.dir, 'content'));
      await this.content.recover();
      this.database = openDatabase(join(this.dir, 'db', 'wharf.db'));
    }
    await this.start();
  }

  ask(method: string, path: string, { headers = {}, body }: Ask = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: this.port, method, path, headers, agent: this.agent });
      sent.on('error', reject);
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) sent.end(body);
      else void pour(body, sent, reject);
    });
  }

  /** Brings a blob in by one POST, and says its digest. */
  async blob(repository: string, content: string | Buffer): Promise<Digest> {
    const digest = digestOf(content);
    const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
    const { status, body } = await this.ask('POST', path, { body: Buffer.from(content) });
    if (status !== 201) throw new Error(`the blob was not taken: ${status} ${body}`);
    return digest;
  }

  /** Begins an upload and says where it goes on. */
  async upload(repository: string): Promise<string> {
    const { headers } = await this.ask('POST', `/v2/${repository}/blobs/uploads/`);
    return String(headers.location);
  }

  /** Brings an image of one layer in, and its manifest unless `tag` is undefined. */
  async image(repository: string, content: string, tag?: string, extra: object = {}): Promise<Buffer> {
    const layer = Buffer.from(`layer of ${content}`);
    const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', content }));
    await this.blob(repository, layer);
    await this.blob(repository, config);
    const bytes = manifestOf(config, [layer], extra);
    if (tag !== undefined) await this.put(repository, tag, bytes);
    return bytes;
  }

  /** Stores a document and says its digest. */
  async put(
    repository: string,
    reference: string,
    bytes: Buffer,
    type: string = MediaTypes.ociManifest,
  ): Promise<Digest> {
    const path = `/v2/${repository}/manifests/${reference}`;
    const { status, body } = await this.ask('PUT', path, { headers: { 'content-type': type }, body: bytes });
    if (status !== 201) throw new Error(`the manifest was not taken: ${status} ${body}`);
    return digestOf(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.agent.destroy();
    this.database[Symbol.dispose]();
    if (this.dir !== undefined) rmSync(this.dir, { recursive: true, force: true });
  }

  private async start(): Promise<void> {
    const { content, database, leases } = this;
    const { gatekeeper = openGatekeeper(), stallMs = 60_000 } = this.options;
    const now = () => this.now;
    this.storage = openLocalStorage({ content, database, leases, log: silentLog, now });
    this.registry = createRegistryServer({
      storage: this.storage,
      gatekeeper,
      audit: (entry) => this.audit.push(entry),
      log: silentLog,
      stallMs,
    });
    this.server = createServer(this.registry.settings);
    this.registry.attach(this.server);
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const address = this.server.address();
    this.port = typeof address === 'object' && address ? address.port : 0;
  }

  private async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    await this.registry.close();
    this.server.closeAllConnections();
    await closed;
    await this.storage.close();
  }
}

/** An image manifest over these blobs. */
export function manifestOf(config: Buffer, layers: Buffer[], extra: object = {}): Buffer {
  const descriptor = (mediaType: string, bytes: Buffer) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaTypes.ociManifest,
      config: descriptor(MediaTypes.ociConfig, config),
      layers: layers.map((layer) => descriptor(MediaTypes.ociLayerGzip, layer)),
      ...extra,
    }),
  );
}

/** An index over these manifests. */
export function indexOf(manifests: Buffer[], extra: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaTypes.ociIndex,
      manifests: manifests.map((bytes) => ({
        mediaType: MediaTypes.ociManifest,
        digest: digestOf(bytes),
        size: bytes.length,
      })),
      ...extra,
    }),
  );
}

/** The descriptor of a manifest, for subjects. */
export function subjectOf(bytes: Buffer) {
  return { mediaType: MediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length };
}

/** The SHA-512 digest of the bytes. */
export function sha512Of(bytes: Buffer | string): Digest {
  return `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Digest;
}

/** The first error code of an answer. */
export function codeOf({ body }: Answer): string {
  return JSON.parse(String(body)).errors[0].code;
}

async function pour(
  body: AsyncIterable<Uint8Array>,
  sent: ReturnType<typeof request>,
  reject: (reason: unknown) => void,
): Promise<void> {
  try {
    for await (const chunk of body)
      if (!sent.write(chunk)) await new Promise((resolve) => sent.once('drain', resolve));
    sent.end();
  } catch (thrown) {
    sent.destroy();
    reject(thrown);
  }
}
