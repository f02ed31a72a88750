import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from './index.ts';
import { numberSource } from './json-text.ts';

test('syntax errors read as Go writes them', () => {
  const cases: [string, string][] = [
    ['xyz', "invalid character 'x' looking for beginning of value"],
    ['{,}', "invalid character ',' looking for beginning of object key string"],
    ['{"a":}', "invalid character '}' looking for beginning of value"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
    ['{"a":"\n"}', "invalid character '\\n' in string"],
    ['{"a":01}', "invalid character '1' after object key:value pair"],
    ['{"a":-}', "invalid character '}' in numeric literal"],
    ['{"a":1.}', "invalid character '}' in numeric literal"],
    ['{"a":"\\x"}', 'invalid escape sequence `\\x` in string'],
    ['{"a":"\\u12"}', 'invalid escape sequence `\\u12"}` in string'],
    ['{"a":1]', "invalid character ']' after object key:value pair"],
    ['{"a":[1}', "invalid character '}' after array element"],
    ['{"a":nul', 'unexpected EOF'],
    ['{"a":"b', 'unexpected EOF'],
    ['[', 'unexpected EOF'],
    ['1 2', 'unexpected content after JSON'],
  ];
  for (const [text, message] of cases)
    assert.throws(() => parseJson(text), { kind: 'invalid', message }, text);
});

test('depth is bounded, and brackets within strings are no depth', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const padding = ' '.repeat(30_000);
  assert.ok(parseJson(deep(10_000) + padding));
  assert.throws(() => parseJson(deep(10_001) + padding), { message: 'exceeded max depth' });
  assert.throws(() => parseJson('{"a":'.repeat(1_000_000)), { message: 'exceeded max depth' });
  assert.throws(() => parseJson('['.repeat(9_999)), { kind: 'invalid' });
  assert.equal(parseJson(JSON.stringify(`\\"${'['.repeat(30_000)}`)), `\\"${'['.repeat(30_000)}`);
});

test('a number keeps the way it was written', () => {
  assert.equal(numberSource('{"a":1e30,"b":2}', 1e30), '1e30');
  assert.equal(numberSource('{"a":99999999999999999999}', 1e20), '99999999999999999999');
});
