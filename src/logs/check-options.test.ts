import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bufferBytes, checkLogConfig, isNonBlocking } from './check-options.ts';

type Case = [options: Record<string, string>, message: string];

function refuses(driver: string, cases: Case[]): void {
  for (const [options, message] of cases) {
    assert.throws(
      () => checkLogConfig(driver, options),
      { kind: 'invalid', message },
      JSON.stringify(options),
    );
  }
}

function accepts(driver: string, cases: Record<string, string>[]): void {
  for (const options of cases) checkLogConfig(driver, options);
}

describe('what is checked when a container is created, in the words of the reference', () => {
  it('of every driver', () => {
    for (const driver of ['json-file', 'local', 'journald', 'syslog', 'fluentd', 'gelf']) {
      const base: Record<string, string> = driver === 'gelf' ? { 'gelf-address': 'udp://127.0.0.1:9' } : {};
      refuses(driver, [
        [{ ...base, mode: 'x' }, 'logger: logging mode not supported: x'],
        [
          { ...base, 'max-buffer-size': '1m' },
          "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
        ],
        [
          { ...base, mode: 'non-blocking', 'max-buffer-size': 'x' },
          "error parsing option max-buffer-size: invalid size: 'x'",
        ],
        [{ ...base, 'cache-disabled': 'x' }, 'invalid value for option cache-disabled: x'],
      ]);
      accepts(driver, [
        { ...base, mode: '' },
        { ...base, mode: 'non-blocking', 'max-buffer-size': '0' },
        {
          ...base,
          'cache-disabled': 'true',
          'cache-max-size': 'x',
          'cache-max-file': '0',
          'cache-compress': 'x',
        },
      ]);
    }
    refuses('nosuch', [[{}, 'error looking up logging plugin nosuch: plugin "nosuch" not found']]);
    accepts('none', [{ x: 'y' }]);
  });

  it('of unknown options', () => {
    refuses('json-file', [[{ bogus: '1' }, "unknown log opt 'bogus' for json-file log driver"]]);
    refuses('local', [[{ tag: 'x' }, "unknown log opt 'tag' for log driver local"]]);
    refuses('journald', [[{ 'max-size': '1' }, "unknown log opt 'max-size' for journald log driver"]]);
    refuses('syslog', [[{ 'cache-bogus': '1' }, "unknown log opt 'cache-bogus' for syslog log driver"]]);
    refuses('fluentd', [
      [{ 'fluentd-async-connect': 'true' }, "unknown log opt 'fluentd-async-connect' for fluentd log driver"],
    ]);
    refuses('gelf', [
      [{ bogus: '1' }, 'gelf-address is a required parameter'],
      [{ bogus: '1', 'gelf-address': 'udp://a:1' }, 'unknown log opt "bogus" for gelf log driver'],
    ]);
  });

  it('of syslog', () => {
    const at = (address: string) => ({ 'syslog-address': address });
    refuses('syslog', [
      [at('unix:///nowhere'), 'stat /nowhere: no such file or directory'],
      [at('unixgram:///nowhere'), 'stat /nowhere: no such file or directory'],
      [at('foo://x'), "unsupported scheme: 'foo'"],
      [at('udp'), "unsupported scheme: ''"],
      [at('127.0.0.1'), "unsupported scheme: ''"],
      [at('udp://[::1'), 'parse "udp://[::1": missing \']\' in host'],
      [{ 'syslog-facility': 'x' }, 'invalid syslog facility'],
      [{ 'syslog-facility': '24' }, 'invalid syslog facility'],
      [{ 'syslog-facility': 'KERN' }, 'invalid syslog facility'],
      [{ 'syslog-facility': '-1' }, 'invalid syslog facility'],
      [{ 'syslog-facility': '-' }, 'invalid syslog facility'],
      [{ 'syslog-format': 'x' }, 'Invalid syslog format'],
      [{ 'syslog-format': 'RFC3164' }, 'Invalid syslog format'],
    ]);
    accepts('syslog', [
      {},
      at('udp://127.0.0.1'),
      at('udp://'),
      at('tcp+tls://[::1]:6514'),
      at('unix:///etc/passwd'),
      { 'syslog-facility': '23' },
      { 'syslog-facility': 'local7' },
      { 'syslog-format': 'rfc5424micro' },
    ]);
  });

  it('of fluentd', () => {
    const at = (address: string, why: string): Case => [
      { 'fluentd-address': address },
      `invalid fluentd-address (${address}): ${why}`,
    ];
    const one = (name: string, value: string, why: string): Case => [{ [`fluentd-${name}`]: value }, why];
    refuses('fluentd', [
      at('foo://x', "unsupported scheme: 'foo'"),
      at('127.0.0.1:x', 'parse "tcp://127.0.0.1:x": invalid port ":x" after host'),
      at('127.0.0.1:99999', 'invalid port: strconv.ParseUint: parsing "99999": value out of range'),
      at('tcp://127.0.0.1:1/path', 'should not contain a path element'),
      at('unix://', 'path is empty'),
      one('async', 'x', 'strconv.ParseBool: parsing "x": invalid syntax'),
      one('buffer-limit', 'x', "invalid size: 'x'"),
      one('max-retries', '-1', 'strconv.ParseUint: parsing "-1": invalid syntax'),
      one('max-retries', '99999999999', 'strconv.ParseUint: parsing "99999999999": value out of range'),
      one('retry-wait', 'x', 'time: invalid duration "x"'),
      one('retry-wait', '5', 'time: missing unit in duration "5"'),
      one('retry-wait', '5q', 'time: unknown unit "q" in duration "5q"'),
      one(
        'write-timeout',
        'x',
        'invalid value for fluentd-write-timeout: value must be a duration: time: invalid duration "x"',
      ),
      one(
        'write-timeout',
        '-1s',
        'invalid value for fluentd-write-timeout: value must be a duration that is non-negative',
      ),
      one(
        'async-reconnect-interval',
        '99ms',
        'invalid value for fluentd-async-reconnect-interval: value ("99ms") must be between 100ms and 10s',
      ),
      one(
        'async-reconnect-interval',
        '1',
        'invalid value for fluentd-async-reconnect-interval: time: missing unit in duration "1"',
      ),
    ]);
    accepts('fluentd', [
      {},
      { 'fluentd-address': 'localhost' },
      { 'fluentd-address': ':24224' },
      { 'fluentd-address': 'tls://h:1' },
      { 'fluentd-async-reconnect-interval': '0' },
      { 'fluentd-write-timeout': '1m30s' },
      { 'fluentd-buffer-limit': '1m', 'fluentd-retry-wait': '1.5s', 'fluentd-max-retries': '7' },
    ]);
  });

  it('of gelf', () => {
    const udp = (more: Record<string, string>) => ({ 'gelf-address': 'udp://127.0.0.1:1', ...more });
    const tcp = (more: Record<string, string>) => ({ 'gelf-address': 'tcp://127.0.0.1:1', ...more });
    const unknown = (key: string, value: string) =>
      `unknown value "${value}" for log opt "gelf-${key}" for gelf log driver`;
    refuses('gelf', [
      [{}, 'gelf-address is a required parameter'],
      [{ 'gelf-address': 'http://x' }, 'gelf: endpoint needs to be TCP or UDP'],
      [{ 'gelf-address': 'udp://127.0.0.1' }, 'gelf: please provide gelf-address as proto://host:port'],
      [
        { 'gelf-address': '127.0.0.1:1' },
        'parse "127.0.0.1:1": first path segment in URL cannot contain colon',
      ],
      [udp({ 'gelf-compression-type': 'x' }), unknown('compression-type', 'x')],
      [udp({ 'gelf-compression-level': '10' }), unknown('compression-level', '10')],
      [udp({ 'gelf-tcp-max-reconnect': '1' }), '"gelf-tcp-max-reconnect" is only valid for TCP'],
      [tcp({ 'gelf-compression-type': 'gzip' }), 'compression is only supported on UDP'],
      [tcp({ 'gelf-tcp-reconnect-delay': '-1' }), '"gelf-tcp-reconnect-delay" must be a positive integer'],
    ]);
    accepts('gelf', [
      udp({ 'gelf-compression-type': 'zlib', 'gelf-compression-level': '-1' }),
      tcp({ 'gelf-tcp-max-reconnect': '0' }),
    ]);
  });
});

describe('the mode', () => {
  it('is blocking, and 1 MiB may wait where it is not, unless the options say so', () => {
    assert.equal(isNonBlocking({}), false);
    assert.equal(isNonBlocking({ mode: 'non-blocking' }), true);
    assert.equal(bufferBytes({}), 1024 * 1024);
    assert.equal(bufferBytes({ 'max-buffer-size': '4k' }), 4096);
  });
});
