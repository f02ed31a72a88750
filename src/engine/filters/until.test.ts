import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  booleanFilter,
  checkFilterKeys,
  matchesText,
  matchLabels,
  matchPattern,
  parseBoolean,
  parseGoDuration,
  parseMoment,
} from './index.ts';

const NOW = 1_800_000_000_000_000_000n;
const SECOND = 1_000_000_000n;

test('durations as Go writes them, in milliseconds', () => {
  const rows: [string, number][] = [
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['90s', 90_000],
    ['1m1s1ms', 61_001],
    ['500us', 0.5],
    ['500µs', 0.5],
    ['1.s', 1_000],
    ['+2s', 2_000],
    ['-2s', -2_000],
    ['30m1h', 5_400_000],
  ];
  for (const [text, expected] of rows) assert.equal(parseGoDuration(text), expected, text);
  for (const bad of ['', '5', 'h', '1', '1d', '1 h', '1h ', '.', '--1s', '1e3s', '1h30']) {
    assert.equal(parseGoDuration(bad), undefined, bad);
  }
});

test('moments: durations back from now, seconds, and times with their zones', () => {
  const utc = (text: string) => BigInt(Date.parse(text)) * 1_000_000n;
  const rows: [string, bigint][] = [
    ['10s', NOW - 10n * SECOND],
    ['1ns', NOW - 1n],
    ['-1h', NOW + 3_600n * SECOND],
    ['0', 0n],
    ['1700000000', 1_700_000_000n * SECOND],
    ['1700000000.5', 1_700_000_000_500_000_000n],
    ['1700000000.000000001', 1_700_000_000_000_000_001n],
    ['2026-01-02T03:04:05Z', utc('2026-01-02T03:04:05Z')],
    ['2026-01-02T03:04:05.25+02:00', utc('2026-01-02T01:04:05.25Z')],
    ['2026-01-02', utc('2026-01-02T00:00:00Z')],
  ];
  for (const [text, expected] of rows) assert.equal(parseMoment(text, NOW), expected, text);
  for (const bad of [
    '',
    'x',
    'yesterday',
    '2026-13-40',
    '1700000000.',
    '1.0000000001',
    '-5',
    '2026-01-02 03:04:05',
  ]) {
    assert.throws(() => parseMoment(bad, NOW), {
      kind: 'invalid',
      message: `failed to parse value as time or duration: "${bad}"`,
    });
  }
});

test('booleans are those of Go', () => {
  for (const text of ['1', 't', 'T', 'true', 'TRUE', 'True']) assert.equal(parseBoolean(text), true, text);
  for (const text of ['0', 'f', 'F', 'false', 'FALSE', 'False'])
    assert.equal(parseBoolean(text), false, text);
  for (const text of ['', 'yes', 'no', 'tRUE', '2', ' 1']) assert.equal(parseBoolean(text), undefined, text);
  assert.throws(() => booleanFilter(new Map([['dangling', ['1', '0']]]), 'dangling'), {
    kind: 'invalid',
    message: "invalid filter 'dangling=[1 0]'",
  });
  assert.equal(booleanFilter(new Map([['dangling', ['1', 'true', 'T']]]), 'dangling'), true);
  assert.equal(booleanFilter(new Map([['dangling', []]]), 'dangling'), undefined);
});

test('labels with equals signs, empty values and names that objects have by themselves', () => {
  const labels = { a: 'b=c', empty: '' };
  const rows: [string, boolean][] = [
    ['a', true],
    ['a=b=c', true],
    ['a=b', false],
    ['empty', true],
    ['empty=', true],
    ['toString', false],
    ['=x', false],
    ['', false],
  ];
  for (const [label, expected] of rows) {
    assert.equal(matchLabels(new Map([['label', [label]]]), labels), expected, label);
    assert.equal(matchLabels(new Map([['label!', [label]]]), labels), !expected, `not ${label}`);
  }
});

test('keys are checked even when they have no value', () => {
  assert.throws(() => checkFilterKeys(new Map([['x', []]]), new Set(['y'])), {
    message: "invalid filter 'x'",
  });
  checkFilterKeys(new Map(), new Set());
});

test('a pattern is compiled once and stays right while hundreds of others come', () => {
  for (let round = 0; round < 2; round += 1) {
    for (let count = 0; count < 300; count += 1) {
      assert.equal(matchesText(`^web-${count}$`, `web-${count}`), true);
      assert.equal(matchesText(`^web-${count}$`, `web-${count + 1}`), false);
    }
  }
  assert.equal(matchPattern(new Map([['name', []]]), 'name', ['x']), true, 'no value, no condition');
  assert.equal(
    matchPattern(new Map([['name', ['']]]), 'name', ['x']),
    true,
    'the empty pattern is found everywhere',
  );
  assert.equal(matchPattern(new Map([['name', ['x']]]), 'name', []), false);
});
