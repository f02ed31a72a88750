import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { WharfError } from '../base/index.ts';
import type { Digest } from '../oci/index.ts';
import { applyLayer } from './apply-layer.ts';
import { decompress } from './decompress.ts';
import type { UnpackAnswer, UnpackJob, UnpackResult } from './unpack-layer.ts';

async function unpack(job: UnpackJob, signal: AbortSignal): Promise<UnpackResult> {
  const source =
    job.file === undefined ? process.stdin : createReadStream(job.file, { highWaterMark: 1 << 18 });
  const hash = createHash('sha256');
  let bytes = 0;
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of decompress(source, job.limits)) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      yield chunk;
    }
  }
  const fileBytes = await applyLayer(hashed(), job.target, { limits: job.limits, form: job.form, signal });
  const diffId = `sha256:${hash.digest('hex')}` as Digest;
  if (job.expectedDiffId !== undefined && diffId !== job.expectedDiffId) {
    throw new WharfError(
      'corrupt',
      `archive: the layer unpacks to ${diffId}, its image names ${job.expectedDiffId}`,
    );
  }
  return { diffId, bytes, fileBytes };
}

function answer(message: UnpackAnswer): void {
  parentPort?.postMessage(message);
}

const cancel = new AbortController();
parentPort?.on('message', () => cancel.abort());
unpack(workerData as UnpackJob, cancel.signal).then(
  (result) => answer({ result }),
  (thrown: unknown) => {
    const { kind, message } = WharfError.from(thrown);
    answer({ error: { kind, message } });
  },
);
