import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerPath, entryName } from './container-path.ts';

test('paths are read as the reference reads them', () => {
  // Asked for, looked up, name in the stat document, name of the first entry.
  const rows: [string, string, string, string][] = [
    ['/d', '/d', 'd', 'd'],
    ['/d/', '/d/', 'd', 'd'],
    ['/d/.', '/d/.', '.', '.'],
    ['d/f', '/d/f', 'f', 'f'],
    ['//d//f', '/d/f', 'f', 'f'],
    ['/d/./f', '/d/f', 'f', 'f'],
    ['/', '/', '/', '/'],
    ['/.', '/.', '.', '.'],
    ['.', '/.', '.', '.'],
    ['..', '/', '..', '/'],
    ['/d/..', '/', '..', '/'],
    ['/d/s/..', '/d', '..', 'd'],
    ['../../etc', '/etc', 'etc', 'etc'],
    // Names are resolved by their letters: a link before `..` doesn't count.
    ['/l/../d', '/d', 'd', 'd'],
    ['/nope/../d/', '/d/', 'd', 'd'],
  ];
  for (const [asked, path, name, entry] of rows) {
    const read = containerPath(asked);
    assert.deepEqual([read.path, read.name, entryName(read)], [path, name, entry], asked);
    assert.equal(read.asked, asked);
    assert.ok(read.path.endsWith(read.ending));
  }
});
