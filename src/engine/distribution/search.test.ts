import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeFilters } from '../../api/filters.ts';
import { searchImages } from './index.ts';
import { fakeRegistries } from './testing/fake-registry.ts';

const never = new AbortController().signal;
const RESULTS = [
  { name: 'a', description: 'first', star_count: 5, is_official: true, is_automated: false },
  { name: 'b', description: '', star_count: 50, is_official: false, is_automated: true },
];

async function search(term: string, more: { limit?: number; filters?: object | string } = {}) {
  const asked: unknown[] = [];
  const registries = fakeRegistries(
    {},
    {
      async search(domain, query, credentials) {
        asked.push([domain, query, credentials]);
        return RESULTS;
      },
    },
  );
  const text = typeof more.filters === 'string' ? more.filters : JSON.stringify(more.filters ?? {});
  const input = {
    term,
    limit: more.limit ?? 0,
    filters: decodeFilters(text),
    credentials: { username: 'alice' },
  };
  const found = await searchImages({ registries: () => registries }, input, never);
  return { asked, names: found.map(({ name }) => name), found };
}

test('a term names the registry, or means Docker Hub', async () => {
  const cases: [string, string, string][] = [
    ['busybox', 'docker.io', 'busybox'],
    ['team/app', 'docker.io', 'team/app'],
    ['BAD/x', 'docker.io', 'BAD/x'],
    ['library/busybox', 'docker.io', 'busybox'],
    ['docker.io/busybox', 'docker.io', 'busybox'],
    ['docker.io/library/busybox', 'docker.io', 'busybox'],
    ['index.docker.io/x', 'docker.io', 'x'],
    ['sha256:aa', 'docker.io', 'sha256:aa'],
    ['', 'docker.io', ''],
    ['lab.test/library/x', 'lab.test', 'library/x'],
    ['127.0.0.1:5000/', '127.0.0.1:5000', ''],
    ['localhost/x/y', 'localhost', 'x/y'],
  ];
  for (const [text, domain, term] of cases) {
    const { asked } = await search(text);
    assert.deepEqual(asked, [[domain, { term, limit: 25 }, { username: 'alice' }]], text);
  }
});

test('a term with a scheme is refused', async () => {
  await assert.rejects(search('https://lab.test/x'), {
    kind: 'invalid',
    message: 'invalid repository name: repository name (https://lab.test/x) should not have a scheme',
  });
});

test('limits go to the registry; those out of range are refused', async () => {
  for (const limit of [1, 100])
    assert.deepEqual((await search('x', { limit })).asked[0], [
      'docker.io',
      { term: 'x', limit },
      { username: 'alice' },
    ]);
  for (const limit of [-1, 101])
    await assert.rejects(search('x', { limit }), {
      kind: 'invalid',
      message: `limit ${limit} is outside the range of [1, 100]`,
    });
});

test('nothing counts as automated any more', async () => {
  const { found } = await search('x');
  assert.deepEqual(
    found.map(({ is_automated }) => is_automated),
    [false, false],
  );
  assert.deepEqual((await search('x', { filters: { 'is-automated': ['true'] } })).names, []);
  assert.deepEqual((await search('x', { filters: { 'is-automated': ['false'] } })).names, ['a', 'b']);
});

test('filters choose by stars and by who made it', async () => {
  const cases: [object, string[]][] = [
    [{ stars: ['6'] }, ['b']],
    [{ stars: ['5'] }, ['a', 'b']],
    [{ stars: ['3', '51'] }, []],
    [{ stars: ['-6'] }, ['a', 'b']],
    [{ 'is-official': ['true'] }, ['a']],
    [{ 'is-official': { '0': true } }, ['b']],
    [{ 'is-official': ['false'], stars: ['51'] }, []],
  ];
  for (const [filters, names] of cases)
    assert.deepEqual((await search('x', { filters })).names, names, JSON.stringify(filters));
});

test('bad filters are refused with the texts that clients know', async () => {
  const cases: [object, string][] = [
    [{ foo: ['a'] }, "invalid filter 'foo'"],
    [{ stars: ['a'] }, `invalid filter 'stars=a': strconv.Atoi: parsing "a": invalid syntax`],
    [{ 'is-official': ['a'] }, "invalid filter 'is-official=[a]'"],
    [{ 'is-official': ['true', 'false'] }, "invalid filter 'is-official=[true false]'"],
    [{ 'is-automated': ['a'] }, "invalid filter 'is-automated=[a]'"],
  ];
  for (const [filters, message] of cases)
    await assert.rejects(search('x', { filters }), { kind: 'invalid', message });
});
