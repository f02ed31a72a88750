import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import { hashSync } from 'bcryptjs';
import { type Logger, silentLog } from '../base/index.ts';
import { digestOf } from '../oci/index.ts';
import { serveRegistry } from './serve.ts';
import type { RegistryService } from './service.ts';

/** A registry that a test serves. */
export interface Running {
  service: RegistryService;
  /** URL of its first address, by plain HTTP. */
  base: string;
  /** Ends it, and resolves when all is put down. */
  stop(): Promise<void>;
}

/** A folder for each test of a file, and the registries that it serves; all is ended and removed after it. */
export class RegistryFixture {
  dir = '';
  /** Root of the registries to be served next. */
  root = '';
  private readonly running: { end: AbortController; done: Promise<void> }[] = [];

  constructor() {
    beforeEach(() => {
      this.dir = mkdtempSync(join(tmpdir(), 'wharf-registryd-'));
      this.root = join(this.dir, 'root');
    });
    afterEach(async () => {
      for (const each of this.running.splice(0)) {
        each.end.abort();
        await each.done.catch(() => undefined);
      }
      rmSync(this.dir, { recursive: true, force: true });
    });
  }

  async serve(settings: Record<string, string> = {}, log: Logger = silentLog): Promise<Running> {
    const end = new AbortController();
    const { promise, resolve, reject } = Promise.withResolvers<RegistryService>();
    const values = { listen: '127.0.0.1:0', ...settings };
    const done = serveRegistry({ root: this.root, settings: values, log }, end.signal, resolve);
    done.catch(reject);
    this.running.push({ end, done });
    const service = await promise;
    const stop = () => {
      end.abort();
      return done;
    };
    return { service, base: `http://${service.addresses[0]}`, stop };
  }

  /** Writes an htpasswd file. */
  writeUsers(passwords: Record<string, string>): string {
    const path = join(this.dir, 'users');
    const lines = Object.entries(passwords).map(([name, password]) => `${name}:${hashSync(password, 4)}\n`);
    writeFileSync(path, lines.join(''));
    return path;
  }

  auditLines(path = join(this.root, 'audit.log')) {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }
}

/** Digest of a text. */
export const digestOfText = (text: string) => digestOf(Buffer.from(text));

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** Pushes an image of one layer; gives the status of its manifest, and its digest. */
export async function push(
  base: string,
  name: string,
  tag: string,
  layer: string,
  headers: Record<string, string> = {},
) {
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
    tag,
  });
  for (const blob of [layer, config]) {
    const begun = await fetch(`${base}/v2/${name}/blobs/uploads/`, { method: 'POST', headers });
    assert.equal(begun.status, 202);
    const location = new URL(begun.headers.get('location') ?? '', base);
    location.searchParams.set('digest', digestOfText(blob));
    assert.equal((await fetch(location, { method: 'PUT', body: blob, headers })).status, 201);
  }
  const describe = (mediaType: string, text: string) => ({
    mediaType,
    digest: digestOfText(text),
    size: text.length,
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: describe('application/vnd.oci.image.config.v1+json', config),
    layers: [describe('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const put = await fetch(`${base}/v2/${name}/manifests/${tag}`, {
    method: 'PUT',
    body: manifest,
    headers: { ...headers, 'Content-Type': MANIFEST },
  });
  return { status: put.status, digest: digestOfText(manifest) };
}

/** An `Authorization` header. */
export const basic = (user: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

/** Waits for what happens right after an answer. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
