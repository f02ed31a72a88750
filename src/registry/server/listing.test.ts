import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf, MediaTypes } from '../../oci/index.ts';
import { ManifestCache } from './manifest-cache.ts';
import { MAX_PAGE, nextLink, pageOf } from './paging.ts';
import { SortedNames } from './sorted-names.ts';

describe('pages', () => {
  it('of a query', () => {
    const page = (query: string, least: 0 | 1 = 0) => pageOf(new URLSearchParams(query), least);
    assert.deepEqual(page(''), { limit: MAX_PAGE });
    assert.deepEqual(page('n='), { limit: MAX_PAGE });
    assert.deepEqual(page('n=5&last=x'), { limit: 5, last: 'x' });
    assert.deepEqual(page('n=0'), { limit: 0 });
    assert.deepEqual(page('n=1000000000'), { limit: MAX_PAGE });
    for (const n of ['0', '-1', 'x', '1.5', '1e3', 'Infinity', '9'.repeat(16)])
      assert.throws(() => page(`n=${n}`, 1), { code: 'PAGINATION_NUMBER_INVALID' }, n);
  });

  it('lead to the next by a link whose names are encoded', () => {
    assert.deepEqual(nextLink('/v2/_catalog', { n: '2', skip: undefined, last: 'a/b&c' }), [
      'Link',
      '</v2/_catalog?n=2&last=a%2Fb%26c>; rel="next"',
    ]);
  });
});

describe('sorted names', () => {
  it('agree with a list that is sorted anew, whatever is added, removed and asked', () => {
    const names = new SortedNames();
    const model = new Set<string>();
    const sorted = () =>
      [...model].sort((a, b) => {
        const [x, y] = [`${a.toLowerCase()}\0${a}`, `${b.toLowerCase()}\0${b}`];
        return x < y ? -1 : 1;
      });
    let state = 9;
    const next = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const word = () => Array.from({ length: 1 + next(3) }, () => 'aAbB._-09'[next(9)]).join('');
    for (let step = 0; step < 3000; step += 1) {
      const name = word();
      if (next(3) === 0) {
        names.delete(name);
        model.delete(name);
      } else {
        names.add(name);
        model.add(name);
      }
      if (step % 7 !== 0) continue;
      const last = next(2) ? word() : undefined;
      const limit = next(20);
      const all = sorted();
      const key = (text: string) => `${text.toLowerCase()}\0${text}`;
      const rest = last === undefined ? all : all.filter((one) => key(one) > key(last));
      assert.deepEqual(names.page(limit, last), { names: rest.slice(0, limit), more: rest.length > limit });
    }
  });
});

describe('manifests in memory', () => {
  const manifest = (size: number) => {
    const bytes = Buffer.alloc(size, 'x');
    const descriptor = { mediaType: MediaTypes.ociManifest, digest: digestOf(bytes), size };
    return { descriptor, bytes, subject: undefined };
  };

  it('stay within their bytes: the oldest go first, large ones are not kept', () => {
    const cache = new ManifestCache(1000);
    for (const key of ['a', 'b', 'c']) cache.put(key, manifest(400));
    assert.equal(cache.get('a'), undefined);
    assert.ok(cache.get('b') && cache.get('c'));
    cache.put('b', manifest(100));
    cache.put('d', manifest(500));
    assert.ok(cache.get('b') && cache.get('c') && cache.get('d'));
    cache.delete('c');
    cache.delete('c');
    cache.put('e', manifest(400));
    assert.ok(cache.get('b') && cache.get('d') && cache.get('e'));
    assert.ok(cache.get('b'));
    cache.put('f', manifest(600));
    assert.ok(cache.get('b') && cache.get('f'), 'what was asked for last stays');
    const roomy = new ManifestCache(10 << 20);
    roomy.put('large', manifest((1 << 20) + 1));
    assert.equal(roomy.get('large'), undefined);
  });
});
