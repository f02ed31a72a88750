import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUTES } from '../routes/index.ts';
import type { Route } from './route.ts';
import { RouteTrie } from './route-trie.ts';

const trie = new RouteTrie(ROUTES);

function find(method: string, path: string): [string, Record<string, string>] | undefined {
  const match = trie.find(method, path.split('/').slice(1), 0);
  return match && [match.route.path, match.params];
}

test('literals win, and give way where they lead nowhere', () => {
  assert.deepEqual(find('GET', '/containers/json'), ['/containers/json', {}]);
  assert.deepEqual(find('GET', '/containers/json/json'), ['/containers/{id}/json', { id: 'json' }]);
  assert.deepEqual(find('GET', '/images/json'), ['/images/json', {}]);
  assert.deepEqual(find('GET', '/images/json/json'), ['/images/{name...}/json', { name: 'json' }]);
  assert.deepEqual(find('GET', '/images/get'), ['/images/get', {}]);
});

test('image names may have any number of segments', () => {
  assert.deepEqual(find('GET', '/images/a.b:5000/c/d/json'), [
    '/images/{name...}/json',
    { name: 'a.b:5000/c/d' },
  ]);
  assert.deepEqual(find('DELETE', '/images/a/json'), ['/images/{name...}', { name: 'a/json' }]);
  assert.deepEqual(find('POST', '/images/load'), ['/images/load', {}]);
  assert.equal(find('GET', '/images/a'), undefined);
  assert.equal(find('DELETE', '/images/'), undefined);
});

test('what is not in the list is not found', () => {
  for (const path of ['/', '', '/containers', '/containers/', '/containers//json', '/containers/a/json/b']) {
    assert.equal(find('GET', path), undefined, path);
  }
  assert.equal(find('BREW', '/info'), undefined);
});

test('every route finds itself, and no two are the same', () => {
  const seen = new Set<string>();
  for (const route of ROUTES as readonly Route[]) {
    const line = `${route.method} ${route.path}`;
    assert.ok(!seen.has(line), `${line} is there twice`);
    seen.add(line);
    const path = route.path.replace(/\{\w+(\.\.\.)?\}/g, 'x');
    assert.deepEqual(find(route.method, path)?.[0], route.path);
  }
});
