import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import type { Blob, OciImage } from '../../tests/e2e/support/index.ts';

/** Bytes of one write; what a client that reads a file would send. */
const PIECE = 1 << 18;

/** A client that does as little as a client can, so that the server is what is measured. */
export class BareClient implements Disposable {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly base: string;

  constructor(address: string) {
    this.base = `http://${address}`;
  }

  /** Pushes an image, blobs one after the other, each in one request as the specification's "single POST then PUT". */
  async push(repository: string, image: OciImage, tag: string): Promise<void> {
    for (const blob of [...image.layers, image.config]) await this.upload(repository, blob);
    const headers = {
      'Content-Type': image.manifest.mediaType,
      'Content-Length': image.manifest.bytes.length,
    };
    await this.expect(201, 'PUT', `/v2/${repository}/manifests/${tag}`, headers, [image.manifest.bytes]);
  }

  upload(repository: string, blob: Blob): Promise<void> {
    return this.uploadParts(repository, blob.digest, [blob.bytes]);
  }

  /** Sends a blob that consists of these parts. */
  async uploadParts(repository: string, digest: string, parts: Buffer[]): Promise<void> {
    const begun = await this.expect(202, 'POST', `/v2/${repository}/blobs/uploads/`, { 'Content-Length': 0 });
    const location = new URL(begun.headers.location as string, this.base);
    location.searchParams.set('digest', digest);
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': size };
    await this.expect(201, 'PUT', location.pathname + location.search, headers, pieces(parts));
  }

  /** Fetches all blobs of an image; returns how many bytes came. */
  async pull(repository: string, image: OciImage, tag: string): Promise<number> {
    let bytes = 0;
    const count = (chunk: Buffer) => {
      bytes += chunk.length;
    };
    await this.expect(
      200,
      'GET',
      `/v2/${repository}/manifests/${tag}`,
      { Accept: image.manifest.mediaType },
      [],
      count,
    );
    for (const { digest } of [image.config, ...image.layers])
      await this.expect(200, 'GET', `/v2/${repository}/blobs/${digest}`, {}, [], count);
    return bytes;
  }

  private expect(
    status: number,
    method: string,
    path: string,
    headers: Record<string, string | number>,
    body: Iterable<Buffer> = [],
    onData: (chunk: Buffer) => void = () => {},
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = request(this.base + path, { method, headers, agent: this.agent }, (answer) => {
        answer.on('data', onData);
        answer.on('error', reject);
        answer.on('end', () => {
          if (answer.statusCode === status) resolve(answer);
          else reject(new Error(`${method} ${path}: status ${answer.statusCode}`));
        });
      });
      outgoing.on('error', reject);
      send(outgoing, body[Symbol.iterator]());
    });
  }

  [Symbol.dispose](): void {
    this.agent.destroy();
  }
}

function send(outgoing: ReturnType<typeof request>, body: Iterator<Buffer>): void {
  for (let next = body.next(); !next.done; next = body.next()) {
    if (!outgoing.write(next.value)) {
      outgoing.once('drain', () => send(outgoing, body));
      return;
    }
  }
  outgoing.end();
}

function* pieces(parts: Buffer[]): Iterable<Buffer> {
  for (const bytes of parts)
    for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

/** Requests per second of one path over some connections kept alive, each sending the next when the answer is here. */
export async function requestRate(
  address: string,
  path: string,
  options: { connections: number; requests: number; accept: string },
): Promise<number> {
  const [host = '', port = ''] = address.split(':');
  const head = `GET ${path} HTTP/1.1\r\nHost: ${address}\r\nAccept: ${options.accept}\r\n\r\n`;
  let left = options.requests;
  const begin = performance.now();
  const connection = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(Number(port), host);
      let missing = 0;
      const next = () => {
        if (left-- <= 0) socket.end();
        else socket.write(head);
      };
      socket.on('connect', next);
      socket.on('error', reject);
      socket.on('close', () => resolve());
      socket.on('data', (chunk) => {
        if (missing === 0) {
          const text = chunk.toString('latin1');
          const end = text.indexOf('\r\n\r\n');
          if (!text.startsWith('HTTP/1.1 200') || end < 0) {
            socket.destroy();
            reject(new Error(`unexpected answer: ${text.slice(0, 80)}`));
            return;
          }
          missing = Number(/content-length: (\d+)/i.exec(text)?.[1]) + end + 4;
        }
        missing -= chunk.length;
        if (missing === 0) next();
      });
    });
  await Promise.all(Array.from({ length: options.connections }, connection));
  return (options.requests / (performance.now() - begin)) * 1000;
}
