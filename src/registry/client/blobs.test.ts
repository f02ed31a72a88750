import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { collect } from '../suite.ts';
import { testRegistries } from './testing/registries.ts';
import { type Handler, serve } from './testing/serve.ts';

const BYTES = Buffer.from('the bytes of a layer');
const LAYER = { mediaType: MediaTypes.ociLayerGzip, digest: digestOf(BYTES), size: BYTES.length };

/** Asks a server that answers so for the layer, from an offset on. */
async function ask(offset: number, answer: Handler): Promise<{ start: number; text: string }> {
  await using served = await serve((request, response) =>
    request.url === '/v2/' ? response.end() : answer(request, response),
  );
  using registries = testRegistries({});
  const repository = registries.repository({ domain: served.host, path: 'app' }, { actions: ['pull'] });
  const { start, body } = await repository.blob(LAYER, offset);
  return { start, text: String(Buffer.concat(await collect(body))) };
}

const answer =
  (status: number, headers: Record<string, string>, bytes: Buffer): Handler =>
  (_, response) =>
    response.writeHead(status, headers).end(bytes);

test('a blob that the registry has with another size is refused before its body is read', async () => {
  for (const bytes of [BYTES.subarray(1), Buffer.concat([BYTES, BYTES])])
    await assert.rejects(ask(0, answer(200, { 'content-length': String(bytes.length) }, bytes)), {
      kind: 'corrupt',
      message: `the registry has ${LAYER.digest} with another size than ${LAYER.size}`,
    });
  const rest = BYTES.subarray(4, 8);
  const range = { 'content-range': `bytes 4-7/8`, 'content-length': '4' };
  await assert.rejects(ask(4, answer(206, range, rest)), { kind: 'corrupt' });
});

test('one whose size is not told is taken as it comes', async () => {
  assert.deepEqual(await ask(0, answer(200, {}, BYTES)), { start: 0, text: String(BYTES) });
  const range = { 'content-range': `bytes 4-${BYTES.length - 1}/*` };
  assert.deepEqual(await ask(4, answer(206, range, BYTES.subarray(4))), {
    start: 4,
    text: String(BYTES.subarray(4)),
  });
  assert.equal((await ask(4, answer(200, {}, BYTES))).start, 0);
});
