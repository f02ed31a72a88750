import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { assertNone, blank, isTest, lineOf, paths, ROOT, type SourceFile, sourceFiles } from './source.ts';

const files = sourceFiles('src', 'bin', 'bench', 'tests', 'scripts');
const byPath = new Map(files.map((file) => [file.path, file]));

/** Words in two halves, so that this file does not contain them. */
const word = (...halves: string[]) => halves.join('');

/** Hosts of package registries, absolute paths of a workplace, and marks of unfinished work. */
const FORBIDDEN = [
  word('registry.', 'npmjs'),
  word('npm', 'mirror'),
  word('/wo', 'rk/'),
  word('/tmp/', 'wharf/'),
  word('verd', 'accio'),
];
const UNFINISHED = new RegExp(`\\b(${word('TO', 'DO')}|${word('FIX', 'ME')}|${word('XX', 'X')})\\b`);

function places(file: { path: string }, text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(
    (match) => `${file.path}:${lineOf(text, match.index)} ${match[0].trim()}`,
  );
}

/** True when a docstring ends right above the line on which the declaration at `index` starts. */
function documented(text: string, index: number): boolean {
  return /\*\/\s*$/.test(text.slice(0, index));
}

const DECLARATION =
  /^export (?:default )?(?:abstract )?(?:async )?(interface|type|class|function\*?|const) (\w+)/gm;

describe('manners', () => {
  it('contracts document every exported declaration', () => {
    const bare = files
      .filter(({ path }) => /^src\/.*\/(types|suite)\.ts$/.test(path) && !path.startsWith('src/api/types/'))
      .flatMap(({ path, text }) =>
        [...text.matchAll(DECLARATION)]
          .filter((match) => !documented(text, match.index))
          .map((match) => `${path}:${lineOf(text, match.index)} ${match[2]}`),
      );
    assertNone(bare);
  });

  it('what an index exports is documented', () => {
    const bare = files.filter(({ path }) => /^src\/.*index\.ts$/.test(path)).flatMap(undocumentedExports);
    assertNone([...new Set(bare)]);
  });

  it('nothing is typed any', () => {
    const found = files.flatMap((file) =>
      places(file, file.code, /(:\s*any\b|\bas any\b|<any\b|\bany\[\])/g),
    );
    assertNone(found);
  });

  it('no work is left as a mark', () => {
    const found = files.flatMap((file) => places(file, file.text, new RegExp(UNFINISHED, 'g')));
    assertNone(found);
  });

  it('names of files and folders are kebab-case and say something', () => {
    const odd = files
      .filter(({ path }) => !/^[a-z0-9]+([-./][a-z0-9]+)*\.ts$/.test(path))
      .map(({ path }) => path);
    const empty = files.filter(({ path }) => /(^|[/-])(utils?|helpers?|common|manager|misc)\b/.test(path));
    assertNone([...odd, ...empty.map(({ path }) => path)]);
  });

  it('every test asserts', () => {
    const silent = files
      .filter(({ path }) => path.endsWith('.test.ts'))
      .filter(({ code }) => !/\bassert\w*[\w.]*\(|\b\w*[sS]uite\w*\(|\bexpect\w*\(/.test(code))
      .map(({ path }) => path);
    assertNone(silent);
  });

  it('no test is skipped without a reason that is printed', () => {
    const pattern =
      /\b(it|test|describe|t)\.(skip|todo|only)\(\s*\)|\b(it|test|describe)\.(skip|todo|only)\(|\b(skip|todo|only):\s*true\b/g;
    assertNone(files.filter(isTest).flatMap((file) => places(file, file.code, pattern)));
  });

  it('nothing speaks of the workplace', () => {
    const texts = ['src', 'bin', 'bench', 'tests', 'scripts', 'docs'].flatMap((folder) =>
      paths(join(ROOT, folder), /\.(ts|js|json|md|sh|yml|yaml|service)$/),
    );
    const found = texts.flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      return FORBIDDEN.filter((banned) => text.includes(banned)).map(
        (banned) => `${relative(ROOT, file)}: ${banned}`,
      );
    });
    assertNone(found);
  });
});

describe('the reading of sources itself', () => {
  it('tells code from comments, strings, templates and regular expressions', () => {
    const text = [
      "a('x // y'); // gone",
      'b(/[/\'"]/g, 1 / two); /* gone',
      'gone */ c(`d $' + "{e('}')} f`, three / four);",
    ].join('\n');
    const code = blank(text, true);
    assert.equal(code.length, text.length);
    assert.deepEqual(code.match(/\w+/g), ['a', 'b', 'g', '1', 'two', 'c', 'three', 'four']);
    assert.match(blank(text, false), /x \/\/ y/);
  });
});

/** Functions, classes and constants that an index passes on from its own folder without a docstring. */
function undocumentedExports(index: SourceFile): string[] {
  const bare: string[] = [];
  for (const match of index.text.matchAll(/^export \{([^}]*)\} from '(\.[^']*)'/gm)) {
    const file = byPath.get(join(index.path, '..', match[2]!));
    for (const part of match[1]!.split(',')) {
      const name = part
        .trim()
        .replace(/^type\s+/, '')
        .split(/\s+as\s+/)[0];
      const found = [...(file?.text.matchAll(DECLARATION) ?? [])].find(([, , declared]) => declared === name);
      if (
        file &&
        found &&
        found[1] !== 'interface' &&
        found[1] !== 'type' &&
        !documented(file.text, found.index)
      )
        bare.push(`${file.path}:${lineOf(file.text, found.index)} ${name}`);
    }
  }
  return bare;
}
