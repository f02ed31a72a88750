import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyOperand, placeCopy, renamedByLink, splitPath, withEndOf } from './paths.ts';

test('an operand is in a container when a name stands before a colon', () => {
  const cases: [string, string | undefined, string][] = [
    ['web:/etc/hosts', 'web', '/etc/hosts'],
    ['web:a:b', 'web', 'a:b'],
    ['web:', 'web', ''],
    ['./a:b', undefined, './a:b'],
    ['../a:b', undefined, '../a:b'],
    ['/a:b', undefined, '/a:b'],
    [':/x', undefined, ':/x'],
    ['-', undefined, '-'],
    ['plain', undefined, 'plain'],
  ];
  for (const [text, container, path] of cases) {
    const operand = copyOperand(text);
    assert.deepEqual([operand.container, operand.path], [container, path], text);
  }
});

test('a slash or a dot at the end is kept, and splits as the folder that it means', () => {
  assert.equal(withEndOf('a/', '/x/a'), '/x/a/');
  assert.equal(withEndOf('a/.', '/x/a'), '/x/a/.');
  assert.equal(withEndOf('.', '/x'), '/x/.');
  assert.equal(withEndOf('.', '/'), '/.');
  assert.equal(withEndOf('/', '/'), '/');
  const cases: [string, string, string][] = [
    ['/a/b', '/a', 'b'],
    ['/a/b/', '/a', 'b'],
    ['/a/b/.', '/a/b', '.'],
    ['b', '.', 'b'],
    ['', '.', '.'],
    ['/', '/', '/'],
    ['/a/../c', '/', 'c'],
  ];
  for (const [path, folder, name] of cases) assert.deepEqual(splitPath(path), { folder, name }, path);
});

test('where a copy goes: into a folder, onto a file, beside what is not there', () => {
  const folder = { path: '/t', exists: true, isFolder: true };
  const file = { path: '/t/f', exists: true, isFolder: false };
  const absent = (path: string) => ({ path, exists: false, isFolder: false });
  for (const isFolder of [true, false])
    assert.deepEqual(placeCopy(isFolder, folder), { folder: '/t', name: undefined });
  assert.deepEqual(placeCopy(false, file), { folder: '/t', name: 'f' });
  assert.throws(() => placeCopy(true, file), { message: 'cannot copy directory' });
  assert.deepEqual(placeCopy(false, absent('/t/n')), { folder: '/t', name: 'n' });
  assert.deepEqual(placeCopy(true, absent('/t/n/')), { folder: '/t', name: 'n' });
  for (const path of ['/t/n/', '/t/n/.', ''])
    assert.throws(() => placeCopy(false, absent(path)), { message: 'no such directory' });
});

test('what a link led to keeps the name that was asked for', () => {
  assert.deepEqual(renamedByLink('/a/link', '/b/real'), { path: '/b/real', name: 'link' });
  assert.deepEqual(renamedByLink('/a/same', '/b/same'), { path: '/b/same', name: undefined });
  assert.deepEqual(renamedByLink('/a/link/', '/b/real'), { path: '/b/real/', name: 'link' });
  assert.deepEqual(renamedByLink('/a/link/.', '/b/real'), { path: '/b/real/.', name: undefined });
});
