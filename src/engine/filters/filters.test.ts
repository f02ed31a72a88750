import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Filters } from '../../api/index.ts';
import {
  booleanFilter,
  checkFilterKeys,
  matchLabels,
  matchPattern,
  parseGoDuration,
  untilFilter,
} from './index.ts';

const filters = (values: Record<string, string[]>): Filters => new Map(Object.entries(values));

test('unknown keys are refused', () => {
  assert.throws(() => checkFilterKeys(filters({ foo: ['x'] }), new Set(['bar'])), {
    kind: 'invalid',
    message: "invalid filter 'foo'",
  });
  checkFilterKeys(filters({ bar: [] }), new Set(['bar']));
});

test('labels: all wanted, none unwanted, inherited names are no labels', () => {
  const labels = { a: '1', b: '' };
  assert.ok(matchLabels(filters({}), labels));
  assert.ok(matchLabels(filters({ label: ['a', 'a=1', 'b='] }), labels));
  assert.ok(!matchLabels(filters({ label: ['a=1', 'c'] }), labels));
  assert.ok(!matchLabels(filters({ label: ['a=2'] }), labels));
  assert.ok(!matchLabels(filters({ 'label!': ['a'] }), labels));
  assert.ok(!matchLabels(filters({ label: ['constructor'] }), labels));
});

test('patterns: substrings, expressions, malformed ones match nothing, nested repetition stays cheap', () => {
  assert.ok(matchPattern(filters({ name: ['eb'] }), 'name', ['web']));
  assert.ok(matchPattern(filters({ name: ['^/web$'] }), 'name', ['/web', 'web']));
  assert.ok(!matchPattern(filters({ name: ['^eb'] }), 'name', ['web']));
  assert.ok(!matchPattern(filters({ name: ['x('] }), 'name', ['x(']));
  assert.ok(!matchPattern(filters({ name: ['(a+)+$'] }), 'name', [`${'a'.repeat(60)}!`]));
});

test('booleans: one truth only', () => {
  assert.equal(booleanFilter(filters({}), 'dangling'), undefined);
  assert.equal(booleanFilter(filters({ dangling: ['1'] }), 'dangling'), true);
  assert.equal(booleanFilter(filters({ dangling: ['false', '0'] }), 'dangling'), false);
  assert.equal(booleanFilter(filters({ dangling: ['x', '0'] }), 'dangling'), false);
  assert.equal(booleanFilter(filters({ dangling: ['true', 'T'] }), 'dangling'), true);
  assert.throws(() => booleanFilter(filters({ dangling: ['T'] }), 'dangling'), { kind: 'invalid' });
  assert.throws(() => booleanFilter(filters({ dangling: ['x'] }), 'dangling'), {
    message: "invalid filter 'dangling=[x]'",
  });
});

test('until: durations, seconds and times', () => {
  const now = 10_000_000_000_000n;
  assert.equal(untilFilter(filters({}), now), undefined);
  assert.equal(untilFilter(filters({ until: ['1h'] }), now), now - 3_600_000_000_000n);
  assert.equal(untilFilter(filters({ until: ['5.5'] }), now), 5_500_000_000n);
  assert.equal(untilFilter(filters({ until: ['1970-01-01T00:00:02Z'] }), now), 2_000_000_000n);
  assert.throws(() => untilFilter(filters({ until: ['x'] }), now), {
    message: 'failed to parse value as time or duration: "x"',
  });
  assert.throws(() => untilFilter(filters({ until: ['1h', '2h'] }), now), {
    message: 'more than one until filter specified',
  });
  assert.equal(parseGoDuration('1h30m'), 5_400_000);
  assert.equal(parseGoDuration('-2ms'), -2);
  assert.equal(parseGoDuration('5'), undefined);
});
