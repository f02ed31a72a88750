import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  boolValue,
  boolValueOr,
  checkFilterKeys,
  decodeAuth,
  decodeFilters,
  decodeJson,
  decodePlatform,
  formatApiVersion,
  intValue,
  MAX_API_VERSION,
  MIN_API_VERSION,
  parseApiVersion,
  terminalSide,
  timestamp,
  versionSegment,
} from './index.ts';

const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (thrown) {
    assert.equal((thrown as { kind?: string }).kind, 'invalid');
    return (thrown as Error).message;
  }
  return assert.fail('it was accepted');
};

describe('filters', () => {
  it('keep keys that are names of Object’s own, as data', () => {
    const filters = decodeFilters('{"__proto__":["a"],"constructor":{"b":true},"toString":[]}');
    assert.deepEqual([...filters.keys()].sort(), ['__proto__', 'constructor', 'toString']);
    assert.deepEqual(filters.get('__proto__'), ['a']);
    assert.deepEqual(filters.get('toString'), []);
    assert.equal(({} as Record<string, unknown>)['a'], undefined);
  });

  it('take null for a key without values, and never share a list between requests', () => {
    assert.deepEqual([...decodeFilters('{"status":null}')], [['status', []]]);
    const [first, second] = [decodeFilters(null), decodeFilters('')];
    assert.deepEqual([first.size, second.size], [0, 0]);
  });

  it('say which key is not known, the first of them', () => {
    const filters = decodeFilters('{"name":["x"],"nope":["y"],"other":["z"]}');
    assert.equal(
      refusal(() => checkFilterKeys(filters, ['name'])),
      "invalid filter 'nope'",
    );
    checkFilterKeys(decodeFilters(null), []);
  });

  it('refuse every wrong shape of a value', () => {
    for (const inner of ['true', '1', '[null]', '[["a"]]', '[{}]', '{"a":1}', '{"a":null}', '{"a":["b"]}']) {
      assert.equal(
        refusal(() => decodeFilters(`{"k":${inner}}`)),
        'invalid filter',
        inner,
      );
    }
  });
});

describe('query values', () => {
  it('intValue takes what a JavaScript number holds exactly', () => {
    assert.equal(intValue('9007199254740991'), Number.MAX_SAFE_INTEGER);
    assert.equal(intValue('+5'), 5);
    assert.equal(intValue('-0007'), -7);
    for (const text of ['9007199254740993', '-9007199254740993']) {
      assert.equal(
        refusal(() => intValue(text)),
        `strconv.Atoi: parsing "${text}": value out of range`,
      );
    }
  });

  it('intValue names the parser that Docker used there', () => {
    for (const text of ['1e3', '0x10', ' 1', '1 ', '--1', '١', '1_000', 'NaN', '\n1']) {
      const message = refusal(() => intValue(text, 'strconv.ParseInt'));
      assert.equal(message, `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    }
  });

  it('booleans: only the five words, trimmed and in any case, are false', () => {
    for (const text of ['NONE', ' false ', '\tno\n', '0 ']) assert.equal(boolValue(text), false, text);
    for (const text of ['00', 'off', 'n', 'null', 'nope', '-0']) assert.equal(boolValue(text), true, text);
    assert.deepEqual(
      [boolValueOr('', true), boolValueOr(null, false), boolValueOr('x', false)],
      [false, false, true],
    );
  });

  it('terminal sides end at 32 bits', () => {
    assert.equal(terminalSide('4294967295', 'width'), 4294967295);
    assert.equal(terminalSide('0', 'height'), 0);
    assert.match(
      refusal(() => terminalSide('4294967296', 'width')),
      /^invalid resize width .*out of range$/,
    );
    for (const text of ['-1', '1.0', '', ' 24', '24 ', '0x18']) {
      assert.match(
        refusal(() => terminalSide(text, 'height')),
        /^invalid resize height .*invalid syntax$/,
      );
    }
  });
});

describe('points in time', () => {
  it('agree in both forms, to the nanosecond and before 1970', () => {
    const pairs: [rfc: string, unix: string][] = [
      ['2024-02-29T12:00:00.123456789Z', '1709208000.123456789'],
      ['2024-02-29T12:00:00.5Z', '1709208000.5'],
      ['2024-02-29T14:00:00+02:00', '1709208000'],
      ['2024-02-29T06:30:00.000000001-05:30', '1709208000.000000001'],
      ['1969-12-31T23:59:59Z', '-1'],
    ];
    for (const [rfc, unix] of pairs) assert.equal(timestamp(rfc), timestamp(unix), rfc);
    assert.equal(timestamp('-1.5'), -1_500_000_000n);
  });

  it('cut what is finer than a nanosecond and refuse what is no time', () => {
    assert.equal(timestamp('1.1234567899'), 1_123_456_789n);
    for (const text of [
      '1e9',
      'now',
      '10m',
      '2024-02-29',
      '2024-02-30T99:00:00Z',
      '2024-01-01 00:00:00Z',
      '1.',
      '.5',
      '0x1',
    ]) {
      assert.match(
        refusal(() => timestamp(text)),
        /^strconv\.ParseInt: parsing .*: invalid syntax$/,
      );
    }
  });
});

describe('versions', () => {
  it('every supported one comes back as it was written', () => {
    for (let minor = MIN_API_VERSION; minor <= MAX_API_VERSION; minor++) {
      assert.equal(versionSegment(`v${formatApiVersion(minor)}`), formatApiVersion(minor));
      assert.equal(parseApiVersion(formatApiVersion(minor)), minor);
    }
  });

  it('those outside are refused by name, with the bound that they miss', () => {
    assert.match(
      refusal(() => parseApiVersion('1.52')),
      /^client version 1\.52 is too new\. Maximum .* is 1\.51$/,
    );
    assert.match(
      refusal(() => parseApiVersion('2.24')),
      /too new/,
    );
    assert.match(
      refusal(() => parseApiVersion('0.99')),
      /^client version 0\.99 is too old\. Minimum .* is 1\.24,/,
    );
    assert.match(
      refusal(() => parseApiVersion('1')),
      /too old/,
    );
  });

  it('a segment that only looks like one is a name', () => {
    for (const segment of ['v', 'v1.x', 'V1.51', '1.51', 'v-1', 'version', 'v1.51 ', 'v٣'])
      assert.equal(versionSegment(segment), undefined, segment);
  });
});

describe('secrets and depths', () => {
  it('credentials never appear in a refusal', () => {
    const texts = [
      '{"password":["hunter2"]}',
      '{"password":{"x":"hunter2"}}',
      '{"username":5,"password":"hunter2"}',
    ];
    for (const text of texts)
      assert.doesNotMatch(
        refusal(() => decodeAuth(text)),
        /hunter2/,
      );
  });

  it('a platform needs one half at least, and keeps all fields', () => {
    assert.deepEqual(
      decodePlatform('{"architecture":"arm","variant":"v7","os.features":["x"],"OS.Version":"1"}'),
      {
        architecture: 'arm',
        variant: 'v7',
        'os.features': ['x'],
        'os.version': '1',
      },
    );
    assert.equal(decodePlatform(null), undefined);
    assert.equal(
      refusal(() => decodePlatform('{"variant":"v7"}')),
      'both OS and Architecture must be provided',
    );
  });

  it('a type that no table knows is our fault, and no request’s', () => {
    assert.throws(() => decodeJson('{}', 'no.Such'), /no shape is known for no\.Such/);
  });
});
