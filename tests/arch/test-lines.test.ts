import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isTest, sourceFiles } from './source.ts';

/** The folders of layers 0 to 4, lowest first: what lies above is tested from outside as well. */
const FOLDERS = [
  ['base', 'sys'],
  ['oci', 'api'],
  ['archive', 'content', 'meta', 'snapshot', 'registry', 'network', 'volume', 'runtime', 'logs', 'vm'],
  ['build', 'scan'],
  ['engine'],
].flatMap((names, layer) => names.map((name) => ({ name, layer })));

/** Generated from the API's description: there is nothing to test beside it. */
const generated = (path: string) => path.startsWith('src/api/types/');

const files = sourceFiles('src').filter(({ path }) => !generated(path));

/** Lines of source and of test in a folder; none of both when it does not exist. */
function linesOf(folder: string): { source: number; test: number } {
  const count = { source: 0, test: 0 };
  for (const file of files)
    if (file.path.startsWith(`src/${folder}/`)) count[isTest(file) ? 'test' : 'source'] += file.lines;
  return count;
}

const table = FOLDERS.map(({ name, layer }) => ({ name, layer, ...linesOf(name) })).filter(
  ({ source }) => source > 0,
);

describe('lines of test beside the code', () => {
  it('every folder of layers 0 to 4 has at least as many as lines of source', (t) => {
    for (const { name, layer, source, test } of table) {
      const ratio = (test / source).toFixed(2);
      t.diagnostic(
        `${layer} ${name.padEnd(9)} source ${String(source).padStart(6)}  test ${String(test).padStart(6)}  ${ratio}`,
      );
    }
    const short = table.filter(({ source, test }) => test < source);
    assert.deepEqual(
      short.map(({ name, source, test }) => `${name} lacks ${source - test} lines`),
      [],
    );
  });

  it('the table knows the folders that there are', () => {
    assert.ok(table.some(({ name }) => name === 'base') && table.some(({ name }) => name === 'engine'));
    assert.deepEqual(linesOf('nosuch'), { source: 0, test: 0 });
  });
});
