import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from './address.ts';
import { isConnectionLost, requestFailure } from './failure.ts';

const asked = { method: 'GET', path: '/info' };
const failing = (code: string, message = code) => Object.assign(new Error(message), { code });

test('a request that got no answer says where it went', () => {
  const secure = parseAddress('tcp://host:2376', { verify: true });
  const openssl = (text: string) => `write EPROTO 40ED:error:0A00:SSL routines:${text}:../deps/x.c:77:\n`;
  const cases: [Error, string][] = [
    [failing('ECONNRESET', 'socket hang up'), 'EOF'],
    [failing('ENOTFOUND'), 'dial tcp: lookup host: no such host'],
    [
      failing('SELF_SIGNED_CERT_IN_CHAIN'),
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    ],
    [
      failing('CERT_HAS_EXPIRED'),
      'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
    ],
    [
      failing('ERR_TLS_CERT_ALTNAME_INVALID'),
      'tls: failed to verify certificate: x509: certificate is not valid for host',
    ],
    [
      failing('EPROTO', openssl('tls_validate_record_header:wrong version number')),
      'http: server gave HTTP response to HTTPS client',
    ],
    [
      failing(
        'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
        openssl('ssl3_read_bytes:tlsv13 alert certificate required'),
      ),
      'remote error: tls: certificate required',
    ],
    [failing('EPROTO', openssl('final_x:unsupported protocol')), 'tls: unsupported protocol'],
  ];
  for (const [thrown, reason] of cases)
    assert.equal(
      requestFailure(secure, asked, thrown).message,
      `error during connect: Get "https://host:2376/info": ${reason}`,
    );
});

test('a socket is named in the address as Go does', () => {
  const { message } = requestFailure(parseAddress('unix:///run/x.sock'), asked, failing('EPIPE'));
  assert.equal(message, 'error during connect: Get "http://%2Frun%2Fx.sock/info": EOF');
});

test('an answer that breaks off is told from other failures', () => {
  assert.equal(isConnectionLost(failing('ECONNRESET', 'aborted')), true);
  assert.equal(isConnectionLost(failing('ENOENT')), false);
  assert.equal(
    isConnectionLost(requestFailure(parseAddress('unix:///x'), asked, failing('ECONNRESET'))),
    false,
  );
});
