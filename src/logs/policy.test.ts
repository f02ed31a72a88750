import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rotationPolicy } from './policy.ts';

describe('options of json-file', () => {
  const policy = (options: Record<string, string>) => rotationPolicy('json-file', options);

  it('without a size, the log is bounded and packed', () => {
    const bounds = { maxBytes: 20_971_520, maxFiles: 5, compress: true };
    assert.deepEqual(policy({}), bounds);
    assert.deepEqual(policy({ labels: 'a' }), bounds);
    assert.deepEqual(policy({ 'max-file': '3' }), { ...bounds, maxFiles: 3 });
    assert.deepEqual(policy({ 'max-file': '1' }), { ...bounds, maxFiles: 1, compress: false });
    assert.deepEqual(policy({ compress: 'false' }), { ...bounds, compress: false });
  });

  it('a log grows without end only where that is asked for', () => {
    assert.equal(policy({ 'max-size': '-1' }), undefined);
    assert.equal(policy({ 'max-size': '-1', 'max-file': '2' }), undefined);
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
      [{ 'max-size': '-2' }, "invalid size: '-2'"],
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

describe('sizes', () => {
  const accepted: [text: string, number: number, power: number][] = [
    ['7', 7, 0],
    ['7b', 7, 0],
    ['7 B', 7, 0],
    ['7 ', 7, 0],
    ['+7', 7, 0],
    ['1_0', 10, 0],
    ['1e3', 1000, 0],
    ['1e1k', 10, 1],
    ['.5k', 0.5, 1],
    ['5.m', 5, 2],
    ['1.25M', 1.25, 2],
    ['3 GiB', 3, 3],
    ['2tb', 2, 4],
    ['1P', 1, 5],
    ['1.0009k', 1.0009, 1],
  ];
  for (const [text, number, power] of accepted) {
    it(`'${text}' multiplies by 1000 for json-file, by 1024 for local, and is cut to whole bytes`, () => {
      const size = { 'max-size': text };
      assert.equal(rotationPolicy('json-file', size)?.maxBytes, Math.floor(number * 1000 ** power));
      assert.equal(rotationPolicy('local', size)?.maxBytes, Math.floor(number * 1024 ** power));
    });
  }

  const refused: [text: string, message: string][] = [
    ['', "invalid size: ''"],
    ['kb', "invalid size: 'kb'"],
    ['inf', "invalid size: 'inf'"],
    ['-1x', "invalid size: '-1x'"],
    ['10x', "invalid suffix: 'x'"],
    ['10X', "invalid suffix: 'x'"],
    ['10ib', "invalid suffix: 'ib'"],
    ['10bb', "invalid suffix: 'bb'"],
    ['10kx', "invalid suffix: 'kx'"],
    ['10kbb', "invalid suffix: 'kbb'"],
    ['10KBBB', "invalid suffix: 'KBBB'"],
    ['10  k', 'strconv.ParseFloat: parsing "10 ": invalid syntax'],
    [' 10k', 'strconv.ParseFloat: parsing " 10": invalid syntax'],
    ['1.2.3', 'strconv.ParseFloat: parsing "1.2.3": invalid syntax'],
    ['10K1', 'strconv.ParseFloat: parsing "10K1": invalid syntax'],
    ['0x10', 'strconv.ParseFloat: parsing "0x10": invalid syntax'],
    ['1__0', 'strconv.ParseFloat: parsing "1__0": invalid syntax'],
    ['1e999', 'strconv.ParseFloat: parsing "1e999": value out of range'],
  ];
  for (const [text, message] of refused) {
    it(`'${text}' is refused in the words of the reference`, () => {
      assert.throws(() => rotationPolicy('json-file', { 'max-size': text }), { message, kind: 'invalid' });
      const local = `invalid value for max-size: ${text}: ${message}`;
      assert.throws(() => rotationPolicy('local', { 'max-size': text }), { message: local, kind: 'invalid' });
    });
  }

  it('below one byte are none: refused by json-file, no bound for local', () => {
    for (const text of ['0', '0k', '0.4', '-0']) {
      const message = 'max-size must be a positive number';
      assert.throws(() => rotationPolicy('json-file', { 'max-size': text }), { message });
      assert.equal(rotationPolicy('local', { 'max-size': text }), undefined);
    }
  });
});

describe('counts and flags', () => {
  const policy = (driver: string, more: Record<string, string>) =>
    rotationPolicy(driver, { 'max-size': '1k', ...more });

  it('are read as the reference reads them', () => {
    for (const driver of ['json-file', 'local']) {
      assert.equal(policy(driver, { 'max-file': '+3' })?.maxFiles, 3);
      assert.equal(policy(driver, { 'max-file': '007' })?.maxFiles, 7);
      for (const flag of ['1', 't', 'T', 'true', 'True', 'TRUE', '0', 'f', 'F', 'false', 'False', 'FALSE']) {
        const compress = /^[1t]/i.test(flag);
        assert.equal(policy(driver, { 'max-file': '2', compress: flag })?.compress, compress, flag);
      }
    }
  });

  it('are refused when they are anything else', () => {
    for (const text of ['', ' 3', '3.0', '0x3', 'three', '1e2', '3 ']) {
      const message = `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
      assert.throws(() => policy('json-file', { 'max-file': text }), { message });
      const local = `invalid value for max-file: ${text}: ${message}`;
      assert.throws(() => policy('local', { 'max-file': text }), { message: local });
    }
    for (const text of ['', 'yes', 'tRue', '2', ' 1']) {
      const message = `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`;
      assert.throws(() => policy('json-file', { 'max-file': '2', compress: text }), { message });
      const local = `error reading compress log option: ${message}`;
      assert.throws(() => policy('local', { compress: text }), { message: local });
    }
    assert.throws(() => policy('json-file', { 'max-file': '-2' }), {
      message: 'max-file cannot be less than 1',
    });
  });
});

it('other drivers have nothing to rotate', () => {
  assert.equal(rotationPolicy('none', { 'max-size': 'x' }), undefined);
});

describe('what is kept of a log that goes to a server', () => {
  const policy = (options: Record<string, string>) => rotationPolicy('syslog', options);

  it('is as its options say, and values that make no sense are passed over', () => {
    const bounds = { maxBytes: 20_971_520, maxFiles: 5, compress: true };
    assert.deepEqual(policy({}), bounds);
    assert.deepEqual(policy({ 'cache-max-size': 'x', 'cache-max-file': '0', 'cache-compress': 'x' }), bounds);
    assert.deepEqual(policy({ 'cache-max-size': '1m', 'cache-max-file': '1' }), {
      maxBytes: 1_048_576,
      maxFiles: 1,
      compress: false,
    });
    assert.equal(rotationPolicy('none', {}), undefined);
  });
});
