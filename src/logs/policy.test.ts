import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rotationPolicy } from './policy.ts';

describe('options of json-file', () => {
  const policy = (options: Record<string, string>) => rotationPolicy('json-file', options);

  it('without a size, the log grows without end', () => {
    assert.equal(policy({}), undefined);
    assert.equal(policy({ 'max-file': '3', labels: 'a' }), undefined);
  });

  it('sizes multiply by 1000, and one file is the default', () => {
    for (const [text, maxBytes] of [
      ['10', 10],
      ['10k', 10_000],
      ['1.5K', 1500],
      ['20m', 20_000_000],
      ['2 GB', 2_000_000_000],
      ['1KiB', 1000],
    ] as const) {
      assert.deepEqual(policy({ 'max-size': text }), { maxBytes, maxFiles: 1, compress: false });
    }
    assert.deepEqual(policy({ 'max-size': '1k', 'max-file': '4', compress: 'true' }), {
      maxBytes: 1000,
      maxFiles: 4,
      compress: true,
    });
  });

  it('are refused in the words of the reference', () => {
    for (const [options, message] of [
      [{ 'max-size': '0' }, 'max-size must be a positive number'],
      [{ 'max-size': 'abc' }, "invalid size: 'abc'"],
      [{ 'max-size': '-1' }, "invalid size: '-1'"],
      [{ 'max-file': '0' }, 'max-file cannot be less than 1'],
      [{ 'max-file': 'x' }, 'strconv.Atoi: parsing "x": invalid syntax'],
      [
        { 'max-file': '99999999999999999999' },
        'strconv.Atoi: parsing "99999999999999999999": value out of range',
      ],
      [{ compress: 'x' }, 'strconv.ParseBool: parsing "x": invalid syntax'],
      [{ compress: 'true' }, 'compress cannot be true when max-file is less than 2 or max-size is not set'],
    ] as [Record<string, string>, string][]) {
      assert.throws(() => policy(options), { message, kind: 'invalid' });
    }
  });
});

describe('options of local', () => {
  const policy = (options: Record<string, string>) => rotationPolicy('local', options);

  it('default to five packed files of 20 MiB', () => {
    assert.deepEqual(policy({}), { maxBytes: 20_971_520, maxFiles: 5, compress: true });
    assert.equal(policy({ 'max-size': '0' }), undefined);
    assert.deepEqual(policy({ 'max-size': '1k', 'max-file': '1', compress: '0' }), {
      maxBytes: 1024,
      maxFiles: 1,
      compress: false,
    });
  });

  it('are refused in the words of the reference', () => {
    for (const [options, message] of [
      [{ 'max-size': '-1' }, "invalid value for max-size: -1: invalid size: '-1'"],
      [{ 'max-file': 'x' }, 'invalid value for max-file: x: strconv.Atoi: parsing "x": invalid syntax'],
      [{ 'max-file': '1' }, 'compression cannot be enabled when max file count is 1'],
      [{ 'max-file': '0' }, 'compression cannot be enabled when max file count is 1'],
      [
        { compress: 'zz' },
        'error reading compress log option: strconv.ParseBool: parsing "zz": invalid syntax',
      ],
    ] as [Record<string, string>, string][]) {
      assert.throws(() => policy(options), { message });
    }
  });
});

it('other drivers have nothing to rotate', () => {
  assert.equal(rotationPolicy('none', { 'max-size': 'x' }), undefined);
});
