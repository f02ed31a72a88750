import assert from 'node:assert/strict';
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import type { Blob } from './oci-image.ts';
import type { TestRegistry } from './registries.ts';

const PIECE = 1 << 20;
const TAR_BLOCK = 512;

/** Bytes that nothing makes smaller, as fast as a processor encrypts. */
function* noise(bytes: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', randomBytes(16), Buffer.alloc(16));
  const zeros = Buffer.alloc(PIECE);
  for (let left = bytes; left > 0; left -= PIECE)
    yield cipher.update(zeros.subarray(0, Math.min(PIECE, left)));
}

/** A tar of one file, `noise`. */
function* noiseTar(bytes: number): Generator<Buffer> {
  const header = Buffer.alloc(TAR_BLOCK);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  const fields: [number, string][] = [
    [0, 'noise'],
    [100, octal(0o644, 7)],
    [108, octal(0, 7)],
    [116, octal(0, 7)],
    [124, octal(bytes, 11)],
    [136, octal(0, 11)],
    [148, ' '.repeat(8)],
    [156, '0'],
    [257, 'ustar\x0000'],
  ];
  for (const [at, text] of fields) header.write(text, at, 'latin1');
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
    148,
    'latin1',
  );
  yield header;
  yield* noise(bytes);
  yield Buffer.alloc(((TAR_BLOCK - (bytes % TAR_BLOCK)) % TAR_BLOCK) + 2 * TAR_BLOCK);
}

/** Passes everything on, and counts and hashes it. */
class Measure extends Transform {
  readonly #hash = createHash('sha256');
  bytes = 0;

  override _transform(piece: Buffer, _encoding: string, done: (error: null, piece: Buffer) => void): void {
    this.#hash.update(piece);
    this.bytes += piece.length;
    done(null, piece);
  }

  get digest(): string {
    return `sha256:${this.#hash.copy().digest('hex')}`;
  }
}

const PACK = {
  gzip: () => createGzip({ level: 1 }),
  zstd: () => createZstdCompress(),
};

/**
 * Makes an image of one layer of random bytes and stores it in a registry while it is made: it is nowhere as a whole but
 * there.
 */
export async function storeNoise(
  registry: TestRegistry,
  path: string,
  tag: string,
  { bytes, compression }: { bytes: number; compression: 'gzip' | 'zstd' },
): Promise<void> {
  const plain = new Measure();
  const packed = new Measure();
  const begun = await registry.ask('POST', `/v2/${path}/blobs/uploads/`);
  const patch = request(new URL(String(begun.headers['location']), `http://${registry.address}`), {
    method: 'PATCH',
    agent: false,
  });
  const answered = new Promise<string>((resolve, reject) => {
    patch.on('error', reject);
    patch.on('response', (answer) => {
      answer.resume();
      if (answer.statusCode === 202) resolve(String(answer.headers['location']));
      else reject(new Error(`the layer was answered ${answer.statusCode}`));
    });
  });
  await Promise.all([
    pipeline(Readable.from(noiseTar(bytes)), plain, PACK[compression](), packed, patch),
    answered,
  ]);
  const place = new URL(await answered, `http://${registry.address}`);
  place.searchParams.set('digest', packed.digest);
  const put = await registry.ask('PUT', place.pathname + place.search);
  assert.equal(put.status, 201, String(put.body));
  const layer = {
    mediaType: `application/vnd.oci.image.layer.v1.tar+${compression}`,
    digest: packed.digest,
    size: packed.bytes,
  };
  const rootfs = { type: 'layers', diff_ids: [plain.digest] };
  const config = document('config', { architecture: 'amd64', os: 'linux', config: {}, rootfs });
  const { mediaType, digest } = config;
  const manifest = document('manifest', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType, digest, size: config.bytes.length },
    layers: [layer],
  });
  await registry.store(path, { layers: [], config, manifest, plainBytes: plain.bytes }, tag);
}

function document(what: 'config' | 'manifest', fields: object): Blob {
  const bytes = Buffer.from(JSON.stringify(fields));
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { bytes, digest, mediaType: `application/vnd.oci.image.${what}.v1+json` };
}
