import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Descriptor, type Digest, digestOf, MediaTypes } from '../../oci/index.ts';
import { type Answer, codeOf, indexOf, subjectOf, TestRegistry } from './testing/registry.ts';

// OCI Distribution 1.1, category "Content Discovery". The numbers are those of the specification's table of endpoints.
const on = (title: string, check: (registry: TestRegistry) => Promise<void>) =>
  it(title, async () => {
    await using registry = await TestRegistry.open();
    await check(registry);
  });

const json = ({ body }: Answer) => JSON.parse(String(body));

/** Follows the links from a path on, and gives all answers. */
async function pages(registry: TestRegistry, path: string): Promise<Answer[]> {
  const found: Answer[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer = await registry.ask('GET', next);
    assert.equal(answer.status, 200, next);
    found.push(answer);
    assert.ok(found.length < 1000, 'the pages do not end');
    next = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link ?? ''))?.[1];
  }
  return found;
}

async function tagged(registry: TestRegistry, repository: string, tags: readonly string[]): Promise<void> {
  const bytes = await registry.image(repository, 'image');
  for (const tag of tags) await registry.storage.putManifest(repository, bytes, MediaTypes.ociManifest, tag);
}

describe('end-8a: listing tags', () => {
  on('all tags in lexical order, without regard to case', async (registry) => {
    await tagged(registry, 'list/a', ['v2', 'B', 'latest', 'a', 'V1', 'b', '0', '_x']);
    const answer = await registry.ask('GET', '/v2/list/a/tags/list');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.deepEqual(json(answer), {
      name: 'list/a',
      tags: ['0', '_x', 'a', 'B', 'b', 'latest', 'V1', 'v2'],
    });
    assert.equal(answer.headers.link, undefined);
  });

  on(
    'a repository without tags has an empty list; one that is not there 404 NAME_UNKNOWN',
    async (registry) => {
      await registry.blob('list/a', 'only a blob');
      assert.deepEqual(json(await registry.ask('GET', '/v2/list/a/tags/list')), { name: 'list/a', tags: [] });
      const answer = await registry.ask('GET', '/v2/list/none/tags/list');
      assert.deepEqual([answer.status, codeOf(answer)], [404, 'NAME_UNKNOWN']);
    },
  );
});

describe('end-8b: listing tags by pages', () => {
  const TAGS = Array.from({ length: 25 }, (_, at) => `t${String(at).padStart(2, '0')}`);

  on('pages of n follow one another by Link, each tag once', async (registry) => {
    await tagged(registry, 'list/a', TAGS);
    for (const n of [1, 7, 24, 25, 26]) {
      const found = await pages(registry, `/v2/list/a/tags/list?n=${n}`);
      assert.deepEqual(
        found.flatMap((answer) => json(answer).tags),
        TAGS,
      );
      assert.equal(found.length, Math.ceil(25 / n));
    }
  });

  on('last begins behind a tag, whether it is there or not', async (registry) => {
    await tagged(registry, 'list/a', TAGS);
    const after = async (query: string) =>
      json(await registry.ask('GET', `/v2/list/a/tags/list?${query}`)).tags;
    assert.deepEqual(await after('last=t22'), ['t23', 't24']);
    assert.deepEqual(await after('last=t225'), ['t23', 't24']);
    assert.deepEqual(await after('n=1&last=T22'), ['t22']);
    assert.deepEqual(await after('last=z'), []);
    assert.deepEqual(await after('n=0'), []);
    assert.deepEqual(await after('n=3&last='), ['t00', 't01', 't02']);
  });

  on('a number that is none: 400 PAGINATION_NUMBER_INVALID; a large one is cut to 1000', async (registry) => {
    const many = Array.from({ length: 1001 }, (_, at) => `t${String(at).padStart(4, '0')}`);
    await tagged(registry, 'list/a', many);
    for (const n of ['-1', 'NaN', '1.5', '1e9', '0x10', ' 1', '9'.repeat(30)]) {
      const answer = await registry.ask('GET', `/v2/list/a/tags/list?n=${encodeURIComponent(n)}`);
      assert.deepEqual([answer.status, codeOf(answer)], [400, 'PAGINATION_NUMBER_INVALID'], n);
    }
    for (const query of ['', '?n=1000000000']) {
      const found = await pages(registry, `/v2/list/a/tags/list${query}`);
      assert.deepEqual(
        found.map((answer) => json(answer).tags.length),
        [1000, 1],
      );
    }
  });

  it('fifty thousand tags page through exactly once', async () => {
    await using registry = await TestRegistry.open();
    const many = Array.from({ length: 50_000 }, (_, at) => `tag-${at}`);
    await tagged(registry, 'list/a', many);
    const found = await pages(registry, '/v2/list/a/tags/list?n=999');
    const tags = found.flatMap((answer) => json(answer).tags as string[]);
    assert.equal(tags.length, many.length);
    assert.equal(new Set(tags).size, many.length);
  });
});

describe('the catalogue', () => {
  on('names of repositories with content, by pages', async (registry) => {
    for (const name of ['c', 'a/b', 'a', 'z/y/x']) await registry.image(name, name, 'v1');
    await registry.blob('only/blobs', 'x');
    assert.deepEqual(json(await registry.ask('GET', '/v2/_catalog')), {
      repositories: ['a', 'a/b', 'c', 'z/y/x'],
    });
    const found = await pages(registry, '/v2/_catalog?n=3');
    assert.deepEqual(
      found.map((answer) => json(answer).repositories),
      [['a', 'a/b', 'c'], ['z/y/x']],
    );
    for (const n of ['0', '-1', 'x']) {
      const answer = await registry.ask('GET', `/v2/_catalog?n=${n}`);
      assert.deepEqual([answer.status, codeOf(answer)], [400, 'PAGINATION_NUMBER_INVALID']);
    }
  });

  it('shows only what may be pulled, on full pages', async () => {
    const policy = {
      allows: (_: unknown, action: string, repository: string) =>
        action !== 'pull' || !repository.startsWith('secret/'),
      allowsOverwrite: () => true,
      allowsCatalog: () => true,
    };
    const { openGatekeeper } = await import('./index.ts');
    await using registry = await TestRegistry.open({ gatekeeper: openGatekeeper(policy) });
    for (const name of ['a', 'secret/a', 'secret/b', 'z', 'zz']) await registry.image(name, name, 'v1');
    const found = await pages(registry, '/v2/_catalog?n=2');
    assert.deepEqual(
      found.map((answer) => json(answer).repositories),
      [['a', 'z'], ['zz']],
    );
  });
});

describe('end-12a, end-12b: listing referrers', () => {
  /** An image with two referrers of different types, and what the listing must say of them. */
  async function withReferrers(registry: TestRegistry) {
    const image = await registry.image('ref/a', 'image', 'v1');
    const subject = subjectOf(image);
    const annotations = { note: 'signed' };
    const refer = async (artifactType: string): Promise<Descriptor> => {
      const bytes = await registry.image('ref/a', artifactType, undefined, {
        subject,
        artifactType,
        annotations,
      });
      await registry.put('ref/a', digestOf(bytes), bytes);
      return { ...subjectOf(bytes), artifactType, annotations };
    };
    const referrers = [
      await refer('application/vnd.example.sbom'),
      await refer('application/vnd.example.sig'),
    ];
    return { image, subject, referrers };
  }
  const list = async (registry: TestRegistry, digest: Digest, query = '') =>
    registry.ask('GET', `/v2/ref/a/referrers/${digest}${query}`);
  const byDigest = (a: Descriptor, b: Descriptor) => (a.digest < b.digest ? -1 : 1);

  on('an index of descriptors with artifact type and annotations', async (registry) => {
    const { image, referrers } = await withReferrers(registry);
    const answer = await list(registry, digestOf(image));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], MediaTypes.ociIndex);
    assert.equal(answer.headers['oci-filters-applied'], undefined);
    assert.deepEqual(json(answer), {
      schemaVersion: 2,
      mediaType: MediaTypes.ociIndex,
      manifests: referrers.toSorted(byDigest),
    });
  });

  on('a filter is applied and named', async (registry) => {
    const { image, referrers } = await withReferrers(registry);
    const answer = await list(registry, digestOf(image), '?artifactType=application%2Fvnd.example.sig');
    assert.equal(answer.headers['oci-filters-applied'], 'artifactType');
    assert.deepEqual(json(answer).manifests, [referrers[1]]);
    const none = await list(registry, digestOf(image), '?artifactType=x/y');
    assert.deepEqual(json(none).manifests, []);
    assert.equal(none.headers['oci-filters-applied'], 'artifactType');
  });

  on('nothing refers to it: 200 and an empty index, also in no repository', async (registry) => {
    const { image } = await withReferrers(registry);
    for (const path of [
      `/v2/ref/a/referrers/${digestOf('absent')}`,
      `/v2/ref/none/referrers/${digestOf(image)}`,
    ]) {
      const answer = await registry.ask('GET', path);
      assert.equal(answer.status, 200);
      assert.deepEqual(json(answer).manifests, []);
    }
  });

  on('what is no digest: 400', async (registry) => {
    for (const text of ['v1', 'sha256:abc', 'md5:0123']) {
      const answer = await registry.ask('GET', `/v2/ref/a/referrers/${text}`);
      assert.deepEqual([answer.status, codeOf(answer)], [400, 'DIGEST_INVALID']);
    }
  });

  on(
    'a subject that comes later has its referrers; a referrer that goes is listed no more',
    async (registry) => {
      const late = await registry.image('ref/a', 'late');
      const note = await registry.image('ref/a', 'note', undefined, { subject: subjectOf(late) });
      await registry.put('ref/a', digestOf(note), note);
      await registry.put('ref/a', 'late', late);
      const found = json(await list(registry, digestOf(late))).manifests;
      // Of a manifest without an artifact type, its config's media type is it.
      assert.deepEqual(found, [{ ...subjectOf(note), artifactType: MediaTypes.ociConfig }]);
      await registry.ask('DELETE', `/v2/ref/a/manifests/${digestOf(note)}`);
      assert.deepEqual(json(await list(registry, digestOf(late))).manifests, []);
    },
  );

  on('an index may refer, too, and has an artifact type only if it says so', async (registry) => {
    const { image, subject } = await withReferrers(registry);
    const before = json(await list(registry, digestOf(image))).manifests.length;
    const index = indexOf([image], { subject });
    await registry.put('ref/a', 'index', index, MediaTypes.ociIndex);
    const found: Descriptor[] = json(await list(registry, digestOf(image))).manifests;
    assert.equal(found.length, before + 1);
    assert.deepEqual(
      found.find(({ digest }) => digest === digestOf(index)),
      { mediaType: MediaTypes.ociIndex, digest: digestOf(index), size: index.length },
    );
  });

  on('what old clients keep under the fallback tag is listed, each once, and filtered', async (registry) => {
    const { image, referrers } = await withReferrers(registry);
    const old = await registry.image('ref/a', 'old', 'old');
    const entry = { ...subjectOf(old), artifactType: 'application/vnd.example.old' };
    const tag = digestOf(image).replace(':', '-');
    const index = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MediaTypes.ociIndex,
        manifests: [entry, { ...referrers[0] }],
      }),
    );
    await registry.put('ref/a', tag, index, MediaTypes.ociIndex);
    const found = json(await list(registry, digestOf(image))).manifests;
    assert.deepEqual(
      found.map(({ digest }: Descriptor) => digest),
      [...referrers, entry].sort(byDigest).map(({ digest }) => digest),
    );
    const filtered = json(
      await list(registry, digestOf(image), `?artifactType=${referrers[0]?.artifactType}`),
    );
    assert.deepEqual(filtered.manifests, [referrers[0]]);
  });

  on('a fallback tag that is an image is nothing of the sort', async (registry) => {
    const { image, referrers } = await withReferrers(registry);
    await registry.image('ref/a', 'odd', digestOf(image).replace(':', '-'));
    assert.equal(json(await list(registry, digestOf(image))).manifests.length, referrers.length);
  });

  on('many referrers come by pages', async (registry) => {
    const image = await registry.image('ref/a', 'image', 'v1');
    const subject = subjectOf(image);
    const all: Digest[] = [];
    for (let at = 0; at < 23; at += 1) {
      const bytes = Buffer.from(
        JSON.stringify({ ...JSON.parse(String(image)), subject, annotations: { n: `${at}` } }),
      );
      all.push(await registry.put('ref/a', digestOf(bytes), bytes));
    }
    const found = await pages(registry, `/v2/ref/a/referrers/${digestOf(image)}?n=5`);
    assert.equal(found.length, 5);
    const digests = found.flatMap((answer) => json(answer).manifests.map(({ digest }: Descriptor) => digest));
    assert.deepEqual(digests, all.sort());
  });
});
