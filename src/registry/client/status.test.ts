import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atRequest, clean, NetworkError, RegistryError, redactUrl } from './errors.ts';
import { networkError } from './failure.ts';
import { retryAfter, statusError } from './status.ts';

const errors = (code: string, message: string, detail?: unknown) =>
  JSON.stringify({ errors: [{ code, message, detail }] });

test('refusals have the kinds and the texts that Docker has', () => {
  const cases: [status: number, body: string, kind: string, code: string, text: string][] = [
    [
      404,
      errors('MANIFEST_UNKNOWN', 'manifest unknown'),
      'not-found',
      'MANIFEST_UNKNOWN',
      'manifest unknown: manifest unknown',
    ],
    [
      403,
      errors('DENIED', 'requested access to the resource is denied'),
      'forbidden',
      'DENIED',
      'denied: requested access to the resource is denied',
    ],
    [403, '', 'forbidden', 'DENIED', 'denied: requested access to the resource is denied'],
    [401, '', 'unauthorized', 'UNAUTHORIZED', 'unauthorized: authentication required'],
    [
      401,
      '{"details":"incorrect username or password"}',
      'unauthorized',
      'UNAUTHORIZED',
      'unauthorized: incorrect username or password',
    ],
    [
      429,
      errors('TOOMANYREQUESTS', 'You have reached your pull rate limit.'),
      'rate-limited',
      'TOOMANYREQUESTS',
      'toomanyrequests: You have reached your pull rate limit.',
    ],
    [429, '', 'rate-limited', 'TOOMANYREQUESTS', 'toomanyrequests: too many requests'],
    [
      429,
      'slow down',
      'unavailable',
      'UNKNOWN',
      'error parsing HTTP 429 response body: invalid character \'s\' looking for beginning of value: "slow down"',
    ],
    [405, '', 'not-implemented', 'UNSUPPORTED', 'unsupported: The operation is unsupported.'],
    [
      400,
      errors('DIGEST_INVALID', 'provided digest did not match uploaded content'),
      'invalid',
      'DIGEST_INVALID',
      'digest invalid: provided digest did not match uploaded content',
    ],
    [
      500,
      errors('UNKNOWN', 'secret trace'),
      'unavailable',
      'UNKNOWN',
      'received unexpected HTTP status: 500 Internal Server Error',
    ],
    [503, '', 'unavailable', 'UNKNOWN', 'received unexpected HTTP status: 503 Service Unavailable'],
    [
      418,
      '<html>no',
      'invalid',
      'UNKNOWN',
      `error parsing HTTP 418 response body: invalid character '<' looking for beginning of value: "<html>no"`,
    ],
    [400, '', 'invalid', 'UNKNOWN', 'error parsing HTTP 400 response body: unexpected end of JSON input: ""'],
  ];
  for (const [status, body, kind, code, text] of cases) {
    const error = statusError({ status, headers: {}, body });
    assert.deepEqual([error.kind, error.code, error.message, error.status], [kind, code, text, status]);
  }
});

test('an answer to HEAD has no words; what was asked for gives them', () => {
  const refusal = { status: 404, headers: {}, body: '' };
  assert.equal(
    statusError(refusal, { unknown: 'MANIFEST_UNKNOWN' }).message,
    'manifest unknown: manifest unknown',
  );
  assert.equal(statusError(refusal, { unknown: 'NAME_UNKNOWN' }).code, 'NAME_UNKNOWN');
});

test('a challenge that says what was wrong comes first', () => {
  const headers = { 'www-authenticate': 'Bearer realm="https://a/",error="insufficient_scope"' };
  const body = errors('UNAUTHORIZED', 'authentication required', [{ Action: 'pull' }]);
  const error = statusError({ status: 401, headers, body });
  assert.equal(error.message, 'denied: requested access to the resource is denied');
  assert.deepEqual(
    error.faults.map(({ code }) => code),
    ['DENIED', 'UNAUTHORIZED'],
  );
});

test('the words of the other side carry no secrets and no control characters, and end somewhere', () => {
  const body = errors('UNKNOWN', `your password hunter22 is\u001b[31m wrong\r\n\u202e${'x'.repeat(5000)}`);
  const { message, faults } = statusError({ status: 400, headers: {}, body }, { secrets: ['hunter22'] });
  assert.match(message, /^unknown: your password \*\*\* is \[31m wrong x+…$/);
  assert.ok(message.length < 1100);
  assert.ok(!JSON.stringify(faults).includes('hunter22'));
  const many = JSON.stringify({ errors: Array.from({ length: 9999 }, () => ({ code: 'A B', message: 1 })) });
  assert.equal(statusError({ status: 400, headers: {}, body: many }).faults.length, 16);
  for (const odd of ['null', '1', '{"errors":1}', '{"errors":[null]}', '{"errors":[]}', '{"details":1}'])
    assert.ok(statusError({ status: 400, headers: {}, body: odd }) instanceof RegistryError);
});

test('a detail that repeats a secret is left out, also when JSON writes it in another way', () => {
  const secret = 'quote " and \\ back';
  const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'no', detail: { got: `x${secret}` } }] });
  const { faults } = statusError({ status: 403, headers: {}, body }, { secrets: [secret] });
  assert.deepEqual(faults, [{ code: 'DENIED', message: 'no', detail: undefined }]);
});

test('Retry-After in seconds and as a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(retryAfter('120', now), 120_000);
  assert.equal(retryAfter('Thu, 01 Jan 2026 00:00:30 GMT', now), 30_000);
  assert.equal(retryAfter('Thu, 01 Jan 2025 00:00:30 GMT', now), 0);
  assert.equal(retryAfter('soon', now), undefined);
  assert.equal(retryAfter(undefined, now), undefined);
});

test('addresses in texts keep what is plain and lose what is signed', () => {
  const shown = (text: string) => redactUrl(new URL(text));
  assert.equal(
    shown('https://joe:pw@r.example/v2/a/tags/list?n=5&last=b'),
    'https://r.example/v2/a/tags/list?n=5&last=b',
  );
  assert.equal(
    shown('https://s3.example/x?X-Amz-Signature=abc&Expires=1'),
    'https://s3.example/x?X-Amz-Signature=REDACTED&Expires=REDACTED',
  );
  assert.equal(
    shown('https://r.example/v2/a/blobs/uploads/1?_state=secret'),
    'https://r.example/v2/a/blobs/uploads/1?_state=REDACTED',
  );
});

test('a failure is worded as by a Go client, in front of it the request', () => {
  const url = new URL('https://r.example/v2/');
  const text = (code: string, message: string, more: object = {}) => {
    const error = networkError(Object.assign(new Error(message), { code, ...more }), url);
    assert.ok(error instanceof NetworkError);
    return [atRequest('GET', url, error).message.replace('Get "https://r.example/v2/": ', ''), error.passing];
  };
  const connect = { syscall: 'connect', address: '192.0.2.7', port: 443 };
  assert.deepEqual(text('ECONNREFUSED', 'x', connect), [
    'dial tcp 192.0.2.7:443: connect: connection refused',
    true,
  ]);
  assert.deepEqual(text('EHOSTUNREACH', 'x', { ...connect, address: 'fd00::1' }), [
    'dial tcp [fd00::1]:443: connect: no route to host',
    true,
  ]);
  const [unknown, passing] = text('ENOTFOUND', 'getaddrinfo');
  assert.match(String(unknown), /^dial tcp: lookup r\.example( on \S+:\d+)?: no such host$/);
  assert.equal(passing, false);
  assert.deepEqual(text('ECONNRESET', 'socket hang up'), ['unexpected EOF', true]);
  assert.deepEqual(text('ECONNRESET', 'read ECONNRESET'), ['connection reset by peer', true]);
  assert.deepEqual(text('DEPTH_ZERO_SELF_SIGNED_CERT', 'x'), [
    'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    false,
  ]);
  assert.deepEqual(text('ERR_SSL_WRONG_VERSION_NUMBER', 'ssl3_get_record:wrong version number'), [
    'http: server gave HTTP response to HTTPS client',
    false,
  ]);
  assert.equal(networkError(new DOMException('x', 'AbortError'), url).kind, 'cancelled');
  assert.equal(clean('a\u2028b'), 'a b');
});
