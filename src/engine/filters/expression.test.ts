import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileExpression } from './expression.ts';

const found = (pattern: string, text: string) => compileExpression(pattern)?.(text);

test('what a pattern finds and what not', () => {
  const table: [string, string[], string[]][] = [
    ['web', ['web', 'my-web-1'], ['we', 'WEB']],
    ['^web', ['web', 'web1'], ['aweb']],
    ['web$', ['web', 'aweb'], ['web1']],
    ['^$', [''], ['a']],
    ['', ['', 'a'], []],
    ['a.c', ['abc', 'a/c', 'xxa😀cxx'], ['ac', 'a\nc']],
    ['^a*$', ['', 'a', 'aaaa'], ['b', 'aab']],
    ['^a+$', ['a', 'aa'], ['', 'ab']],
    ['^a?b$', ['b', 'ab'], ['aab']],
    ['^a{2}$', ['aa'], ['a', 'aaa']],
    ['^a{2,}$', ['aa', 'aaaa'], ['a']],
    ['^a{1,3}$', ['a', 'aa', 'aaa'], ['', 'aaaa']],
    ['^a{0}b$', ['b'], ['ab']],
    ['^(ab)+$', ['ab', 'abab'], ['aba', '']],
    ['^(?:ab|c)*d$', ['d', 'abd', 'cabcd'], ['ad']],
    ['^(?P<name>a)(?<other>b)$', ['ab'], ['a']],
    ['^a|b$', ['ax', 'xb'], ['xa', 'bx']],
    ['^(a|)$', ['', 'a'], ['b']],
    ['^(a*)*$', ['', 'aaa'], ['b']],
    ['^a+?b??$', ['a', 'ab'], ['b']],
    ['[abc]', ['xbx'], ['xyz', '']],
    ['^[^abc]$', ['x', '\n'], ['a', 'xy']],
    ['^[a-c0-9_-]+$', ['a-9_', 'b'], ['d', 'a d']],
    ['^[]a]+$', [']a'], ['b']],
    ['^[^]a]$', ['b'], [']', 'a']],
    ['^[a-]$', ['a', '-'], ['b']],
    ['^[\\w.]+$', ['a_9.Z'], ['a-b']],
    ['^[[:alpha:]][[:^digit:]]$', ['ab', 'a_'], ['a1', '1a']],
    ['^[[:xdigit:]]{4}$', ['beEF'], ['beeg']],
    ['^\\d\\D\\w\\W\\s\\S$', ['1a_- x'], ['aa_- x', '1a_-xx']],
    ['^\\.\\*\\/\\-$', ['.*/-'], ['a*/-']],
    ['^\\t\\n\\x41$', ['\t\nA'], ['tnA']],
    ['^[\\x41-\\x43\\]]+$', ['ABC]'], ['D']],
    ['\\bweb\\b', ['my web-1', 'web'], ['web1', 'aweb']],
    ['a\\Bb', ['ab'], ['a b']],
    ['\\Aab\\z', ['ab'], ['xab', 'abx']],
    ['(?i)WeB', ['web', 'WEB'], ['wb']],
    ['(?i:W)eb', ['web', 'Web'], ['wEb']],
    ['(?i)^[a-c]É$', ['Bé', 'aÉ'], ['dé']],
    ['((?i)a)b', ['Ab'], ['AB']],
    ['(?s)a.b', ['a\nb'], ['ab']],
    ['a{', ['a{'], ['a']],
    ['a{x}', ['a{x}'], ['ax']],
    ['^😀$', ['😀'], ['😀😀']],
    ['^.$', ['😀'], ['']],
    ['^[😀-😃]$', ['😁'], ['😄']],
  ];
  for (const [pattern, fitting, failing] of table) {
    for (const text of fitting)
      assert.equal(found(pattern, text), true, `${pattern} in ${JSON.stringify(text)}`);
    for (const text of failing)
      assert.equal(found(pattern, text), false, `${pattern} in ${JSON.stringify(text)}`);
  }
});

test('what is no expression, or one too large, is refused', () => {
  const malformed = [
    ...['(', ')', 'a)', '(a', '[', '[a', '[]', '[b-a]', '*', '+a', '?', 'a|*', '^**', 'a**', 'a{2}{3}'],
    ...[
      '\\',
      '\\q',
      '\\1',
      '\\x4',
      '\\xzz',
      '[\\q]',
      '[[:nosuch:]]',
      '(?=a)',
      '(?<!a)',
      '(?:',
      '(?x)a',
      'a{2,1}',
    ],
    ...['a{1001}', 'a{1,1001}', 'a'.repeat(257), '(a{1000}){1000}', '((){1000}){1000}'],
    ...['(((){99}){99}){99}', '[ab]{999}[ab]{999}'],
  ];
  for (const pattern of malformed) assert.equal(compileExpression(pattern), undefined, pattern);
});

/** Deterministic pseudo-random numbers (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function randomPattern(random: (below: number) => number, depth: number): string {
  const atoms = ['a', 'b', '.', '[ab]', '[^a]', '\\w', '^', '$', '\\b', '-'];
  const inner = () => randomPattern(random, depth - 1);
  const one = () => {
    const atom =
      depth > 0 && random(3) === 0 ? `(${inner()}${random(2) ? `|${inner()}` : ''})` : atoms[random(10)];
    // The JavaScript engine, which these are compared with, repeats no assertions.
    if (/^(\^|\$|\\b)$/.test(atom ?? '')) return atom;
    return `${atom}${['', '', '', '*', '+', '?', '{2}', '{1,2}', '*?'][random(9)]}`;
  };
  return Array.from({ length: 1 + random(3) }, one).join('');
}

test('two thousand random patterns agree with the engine of the language', () => {
  const random = randomFrom(42);
  const letters = ['a', 'b', 'c', '-'];
  for (let round = 0; round < 2_000; round += 1) {
    const pattern = randomPattern(random, 2);
    const own = compileExpression(pattern);
    assert.ok(own, pattern);
    const theirs = new RegExp(pattern, 'u');
    for (let count = 0; count < 5; count += 1) {
      const text = Array.from({ length: random(7) }, () => letters[random(4)]).join('');
      assert.equal(own(text), theirs.test(text), `${pattern} in ${text}`);
    }
  }
});

test('patterns that make a backtracking engine run for ever are answered', () => {
  const long = 'a'.repeat(2_000);
  for (const [pattern, text, expected] of [
    [`${'a*'.repeat(60)}b`, long, false],
    ['(a+)+$', `${long}!`, false],
    ['^(a|a)*$', `${long}!`, false],
    ['^(a|aa)+$', `${long}!`, false],
    ['(.*)*x', long, false],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', long, false],
    [`${'(a?)'.repeat(30)}${'a'.repeat(30)}`, 'a'.repeat(30), true],
    ['(a{0,15}){0,15}b', long, false],
  ] as [string, string, boolean][]) {
    assert.equal(found(pattern, text), expected, pattern);
  }
});
