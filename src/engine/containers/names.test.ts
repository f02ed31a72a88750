import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADJECTIVES, SURNAMES } from './name-words.ts';
import { checkContainerName, generateName } from './names.ts';

test('the word lists hold plain words, each once', () => {
  for (const words of [ADJECTIVES, SURNAMES]) {
    assert.ok(words.length > 100);
    assert.equal(new Set(words).size, words.length);
    for (const word of words) assert.match(word, /^[a-z]+$/);
  }
});

test('generated names are two words, then get digits when taken', () => {
  assert.match(
    generateName(() => false),
    /^[a-z]+_[a-z]+$/,
  );
  const name = generateName((candidate) => !/\d$/.test(candidate));
  assert.match(name, /^[a-z]+_[a-z]+\d+$/);
});

test('a thousand names are all different', () => {
  const names = new Set<string>();
  for (let count = 0; count < 1000; count += 1) names.add(generateName((name) => names.has(name)));
  assert.equal(names.size, 1000);
});

test('names as Docker allows them', () => {
  assert.equal(checkContainerName('/web'), 'web');
  assert.equal(checkContainerName('0a_.-'), '0a_.-');
  for (const bad of ['a', '', '/', '.aa', 'a b', 'a/b', 'ä1', '-aa', 'ab\n']) {
    assert.throws(() => checkContainerName(bad), {
      kind: 'invalid',
      message: `Invalid container name (${bad}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    });
  }
});
