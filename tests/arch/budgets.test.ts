import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blocksOf } from './blocks.ts';
import { assertNone, isTest, sourceFiles } from './source.ts';

const FILE = { max: 500, p90: 300 };
const FUNCTION = { max: 80, p90: 40 };
const METHODS = 20;

/** The wire types are generated from the API's description: data, not prose. */
const generated = (path: string) => path.startsWith('src/api/types/');

const all = sourceFiles('src', 'bin', 'bench', 'tests').filter(({ path }) => !generated(path));
const sources = all.filter((file) => !isTest(file));
const blocks = sources.flatMap((file) => blocksOf(file.code).map((block) => ({ ...block, path: file.path })));

/** The value below which nine of ten lie. */
function p90(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length * 0.9)] ?? 0;
}

describe('budgets', () => {
  it(`no file has more than ${FILE.max} lines`, () => {
    const long = all.filter(({ lines }) => lines > FILE.max).map(({ path, lines }) => `${path}: ${lines}`);
    assertNone(long);
  });

  it(`nine of ten source files have at most ${FILE.p90} lines`, () => {
    const value = p90(sources.map(({ lines }) => lines));
    assert.ok(value <= FILE.p90, `${value} lines`);
  });

  it(`no function has more than ${FUNCTION.max} lines`, () => {
    const long = blocks
      .filter(({ kind, lines }) => kind === 'function' && lines > FUNCTION.max)
      .map(({ path, line, lines }) => `${path}:${line}: ${lines}`);
    assertNone(long);
  });

  it(`nine of ten functions have at most ${FUNCTION.p90} lines`, () => {
    const value = p90(blocks.filter(({ kind }) => kind === 'function').map(({ lines }) => lines));
    assert.ok(value > 0 && value <= FUNCTION.p90, `${value} lines`);
  });

  it(`no class has more than ${METHODS} methods`, () => {
    const big = blocks
      .filter(({ kind, methods }) => kind === 'class' && methods > METHODS)
      .map(({ path, line, methods }) => `${path}:${line}: ${methods}`);
    assertNone(big);
  });
});

describe('the measure itself', () => {
  it('counts functions, methods and classes, and nothing else', () => {
    const code = [
      'class A extends B {',
      '  constructor(x: number) {',
      '    if (x) { y(); } else { z(); }',
      '  }',
      '  async get(a: { b: number } = {}): Promise<{ c: string }> {',
      '    for (const d of a) { e(); }',
      '    return list.map((f) => {',
      '      return { f };',
      '    });',
      '  }',
      '}',
      'const g = cond ? h(1) : { i: 2 };',
      'export function k({ l }: M): N {',
      '  switch (l) { case m(): { break; } }',
      '}',
    ].join('\n');
    const found = blocksOf(code).map(({ kind, line, lines, methods }) => [kind, line, lines, methods]);
    assert.deepEqual(found, [
      ['function', 2, 3, 0],
      ['function', 7, 3, 0],
      ['function', 5, 6, 0],
      ['class', 1, 11, 2],
      ['function', 13, 3, 0],
    ]);
  });
});
