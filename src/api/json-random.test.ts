import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainSyntaxError, parseJson } from './index.ts';

/** Numbers below a bound, the same in every run. */
function generator(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Random = ReturnType<typeof generator>;

const STRINGS = ['', 'a', '"', '\\', '/', '\n', '\u0000', '\u2028', 'é', '😀', '\u007f', '{[', '\\u12', ']}'];
const NUMBERS = [0, -0.5, 1e21, 1e-7, 9007199254740991, -1, 123456, 2.5e300];
const BLANKS = ['', ' ', '\n', '\t', '\r\n', '  '];

function value(random: Random, depth: number): unknown {
  const kind = random(depth > 0 ? 6 : 4);
  if (kind === 0) return [null, true, false][random(3)];
  if (kind === 1) return NUMBERS[random(NUMBERS.length)];
  if (kind < 4) return STRINGS[random(STRINGS.length)];
  const items = Array.from({ length: random(4) }, () => value(random, depth - 1));
  if (kind === 4) return items;
  return Object.fromEntries(items.map((item, at) => [`${STRINGS[random(STRINGS.length)]}${at}`, item]));
}

/** The text of a value with blanks wherever the grammar has them. */
function spaced(random: Random, item: unknown): string {
  const blank = () => BLANKS[random(BLANKS.length)] ?? '';
  if (Array.isArray(item))
    return `[${blank()}${item.map((one) => spaced(random, one)).join(`${blank()},${blank()}`)}]`;
  if (typeof item !== 'object' || item === null) return `${blank()}${JSON.stringify(item)}${blank()}`;
  const pairs = Object.entries(item).map(
    ([key, one]) => `${blank()}${JSON.stringify(key)}${blank()}:${spaced(random, one)}`,
  );
  return `{${blank()}${pairs.join(',')}}${blank()}`;
}

describe('random documents', () => {
  it('are read as they were written, however they are spaced', () => {
    const random = generator(7);
    for (let round = 0; round < 2000; round++) {
      const document = value(random, 4);
      assert.deepEqual(parseJson(spaced(random, document)), document);
    }
  });

  it('when damaged, are refused exactly when JSON.parse refuses them, with a fault that was found', () => {
    const random = generator(11);
    const junk = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '0',
      '-',
      '.',
      'e',
      't',
      'nul',
      ' ',
      '\u0001',
      '\ufeff',
      'é',
    ];
    let refused = 0;
    for (let round = 0; round < 4000; round++) {
      const text = spaced(random, value(random, 3));
      const at = random(text.length + 1);
      const damaged =
        text.slice(0, at) + (random(3) === 0 ? '' : junk[random(junk.length)]) + text.slice(at + random(2));
      let held: unknown;
      let valid = true;
      try {
        held = JSON.parse(damaged);
      } catch {
        valid = false;
      }
      if (valid) {
        assert.deepEqual(parseJson(damaged), held);
        continue;
      }
      refused += 1;
      const message = explainSyntaxError(damaged);
      assert.match(
        message,
        /^(invalid character '.+' |invalid escape sequence |unexpected (EOF|content))/s,
        damaged,
      );
      assert.throws(() => parseJson(damaged), { kind: 'invalid', message });
    }
    assert.ok(refused > 1000, `${refused} were refused`);
  });

  it('when cut off, end unexpectedly and in no other way', () => {
    const random = generator(13);
    for (let round = 0; round < 300; round++) {
      const text = JSON.stringify({ key: value(random, 3), list: [value(random, 2)] });
      for (let length = 0; length < text.length; length++) {
        assert.equal(explainSyntaxError(text.slice(0, length)), 'unexpected EOF', text.slice(0, length));
      }
    }
  });
});

describe('characters in errors', () => {
  const cases: [text: string, message: string][] = [
    ['{"a":é}', "invalid character 'é' looking for beginning of value"],
    ['{"a":😀}', "invalid character '😀' looking for beginning of value"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['{"a":1"', `invalid character '"' after object key:value pair`],
    ['{"a":\\', "invalid character '\\\\' looking for beginning of value"],
    ['{"a":"\u0001"}', "invalid character '\\x01' in string"],
    ['{"a":"\u0007"}', "invalid character '\\a' in string"],
    ['{"a":"\t"}', "invalid character '\\t' in string"],
    ['{"a":1\u007f}', "invalid character '\\x7f' after object key:value pair"],
    ['{"a":1\u00a0}', "invalid character '\\u00a0' after object key:value pair"],
    ['\ufeff{}', "invalid character '\\ufeff' looking for beginning of value"],
    ['{"a":\u{e0001}}', "invalid character '\\U000e0001' looking for beginning of value"],
    ['{"a":NaN}', "invalid character 'N' looking for beginning of value"],
    ['{"a":.5}', "invalid character '.' looking for beginning of value"],
    ['{"a":1e+}', "invalid character '}' in numeric literal"],
    ['{"a":0x10}', "invalid character 'x' after object key:value pair"],
    ['{"a":1..2}', "invalid character '.' in numeric literal"],
    ['{"a":"\\u00g0"}', 'invalid escape sequence `\\u00g0` in string'],
    ['{"a":"\\u1\n"}', 'invalid escape sequence "\\\\u1\\n\\"}" in string'],
    ['{"a":"\\`"}', 'invalid escape sequence "\\\\`" in string'],
    ['{"a":"\\', 'unexpected EOF'],
    ['{"a":"\\u', 'unexpected EOF'],
    ['{"a":"\\u12f', 'unexpected EOF'],
  ];
  for (const [text, message] of cases) {
    it(`${JSON.stringify(text)} is ${message}`, () => assert.equal(explainSyntaxError(text), message));
  }
});
