import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boolValue,
  boolValueOr,
  checkFilterKeys,
  decodeFilters,
  formatApiVersion,
  intValue,
  parseApiVersion,
  terminalSide,
  timestamp,
  versionSegment,
} from './index.ts';

test('booleans are false by five words', () => {
  for (const word of [null, '', '0', 'no', 'false', 'none', 'FALSE', ' No '])
    assert.equal(boolValue(word), false);
  for (const word of ['1', 'true', 'yes', 'x', 'zz']) assert.equal(boolValue(word), true);
  assert.equal(boolValueOr(null, true), true);
  assert.equal(boolValueOr('0', true), false);
});

test('integers', () => {
  assert.equal(intValue(null), undefined);
  assert.equal(intValue(''), undefined);
  assert.equal(intValue('-1'), -1);
  assert.throws(() => intValue('1.5'), {
    kind: 'invalid',
    message: 'strconv.Atoi: parsing "1.5": invalid syntax',
  });
  assert.throws(() => intValue('9'.repeat(30)), /value out of range/);
});

test('terminal sides', () => {
  assert.equal(terminalSide('24', 'height'), 24);
  assert.throws(() => terminalSide(null, 'height'), { message: 'invalid resize height "": invalid syntax' });
  assert.throws(() => terminalSide('99999999999', 'width'), {
    message: 'invalid resize width "99999999999": value out of range',
  });
});

test('points in time', () => {
  assert.equal(timestamp(null), undefined);
  assert.equal(timestamp('0'), undefined);
  assert.equal(timestamp('1136073600'), 1136073600_000000000n);
  assert.equal(timestamp('1136073600.000000001'), 1136073600_000000001n);
  assert.equal(timestamp('1136073600.5'), 1136073600_500000000n);
  assert.equal(timestamp('2006-01-01T00:00:00Z'), 1136073600_000000000n);
  assert.equal(timestamp('2006-01-01T01:00:00.000000007+01:00'), 1136073600_000000007n);
  for (const text of ['zz', '1.2.3', '2006-01-01', '2006-13-01T00:00:00Z']) {
    assert.throws(() => timestamp(text), { kind: 'invalid' }, text);
  }
});

test('filters come in two forms', () => {
  assert.deepEqual([...decodeFilters('{"name":["a","b"]}')], [['name', ['a', 'b']]]);
  assert.deepEqual([...decodeFilters('{"name":{"a":true,"b":false}}')], [['name', ['a', 'b']]]);
  for (const text of [null, undefined, '', 'null', '{}']) assert.equal(decodeFilters(text).size, 0);
  for (const text of ['x', '{', '[]', '""', '{"a":5}', '{"a":"x"}', '{"a":[5]}', '{"a":{"b":5}}']) {
    assert.throws(() => decodeFilters(text), { kind: 'invalid', message: 'invalid filter' }, text);
  }
  const filters = decodeFilters('{"zzz":["a"]}');
  assert.throws(() => checkFilterKeys(filters, ['name']), { message: "invalid filter 'zzz'" });
  checkFilterKeys(filters, ['zzz']);
});

test('versions', () => {
  assert.equal(versionSegment('v1.51'), '1.51');
  assert.equal(versionSegment('v1.5x'), undefined);
  assert.equal(versionSegment('volumes'), undefined);
  assert.equal(parseApiVersion('1.24'), 24);
  assert.equal(parseApiVersion('1.40.1'), 40);
  assert.throws(
    () => parseApiVersion('1.23'),
    /client version 1\.23 is too old\. Minimum supported API version is 1\.24/,
  );
  assert.throws(() => parseApiVersion('2.0'), /client version 2\.0 is too new/);
  assert.equal(formatApiVersion(51), '1.51');
});
