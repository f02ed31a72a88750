import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '../../base/index.ts';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { nextTarget } from './pages.ts';
import { testRegistries } from './testing/registries.ts';
import { json, serve } from './testing/serve.ts';

test('the next page of a Link header, in the spellings that there are', () => {
  for (const header of [
    '</v2/a?n=1>; rel="next"',
    '</v2/a?n=1>;rel=next',
    '</v2/a?n=1>; title="x"; REL="Next"',
    '</v2/other>; rel="prev", </v2/a?n=1>; rel="next"',
  ])
    assert.equal(nextTarget(header), '/v2/a?n=1', header);
  for (const header of ['', '</v2/a>', '</v2/a>; rel="prev"', '/v2/a; rel="next"', '</v2/a, b>, rel="next"'])
    assert.equal(nextTarget(header), undefined, header);
});

test('a Link header that is made to be slow is not', () => {
  const pieces = ['<', '<>;', '<>;r', '<>; rel ', '> ', '<a> '];
  const took = (repeats: number) => {
    const began = performance.now();
    for (const piece of pieces) nextTarget(piece.repeat(repeats));
    return performance.now() - began;
  };
  took(1000);
  // A hundred times the length takes ten thousand times as long where time grows with its square.
  const [short, long] = [took(4_000), took(400_000)];
  assert.ok(long < Math.max(short, 0.1) * 2_000, `${short} ms and ${long} ms`);
});

test('a list of referrers without end is not gathered for ever', async () => {
  const manifests = Array.from({ length: 2000 }, (_, at) => ({
    mediaType: MediaTypes.ociManifest,
    digest: digestOf(String(at)),
    size: 1,
    annotations: { note: 'x'.repeat(1000) },
  }));
  await using registry = await serve((request, response) => {
    if (request.url === '/v2/') return response.end('{}');
    const link = `</v2/app/referrers/${digestOf('app')}?page=${registry.seen.length}>; rel="next"`;
    return json(response, 200, { schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests }, { link });
  });
  using registries = testRegistries();
  const repository = registries.repository({ domain: registry.host, path: 'app' }, { actions: ['pull'] });
  await assert.rejects(repository.referrers(digestOf('app')), (thrown) => isKind(thrown, 'invalid'));
  assert.ok(registry.seen.length < 30);
});
