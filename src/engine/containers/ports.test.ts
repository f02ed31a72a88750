import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  normalizeExposedPorts,
  normalizePortBindings,
  parseContainerPort,
  parsePortNumber,
  parsePortRange,
} from './ports.ts';

test('numbers and ranges', () => {
  assert.deepEqual(['0', '1', '65535', '00080'].map(parsePortNumber), [0, 1, 65535, 80]);
  for (const bad of ['', '65536', '-1', '1.5', '0x10', ' 1', '1e3', '999999']) {
    assert.equal(parsePortNumber(bad), undefined, bad);
  }
  assert.deepEqual(parsePortRange(''), { first: 0, last: 0 });
  assert.deepEqual(parsePortRange('80'), { first: 80, last: 80 });
  assert.deepEqual(parsePortRange('80-90'), { first: 80, last: 90 });
  for (const bad of ['90-80', '80-', '-80', '80-90-100', 'a-b', '1-65536']) {
    assert.equal(parsePortRange(bad), undefined, bad);
  }
});

test('container ports', () => {
  assert.deepEqual(parseContainerPort('80'), { port: 80, protocol: 'tcp' });
  assert.deepEqual(parseContainerPort('53/UDP'), { port: 53, protocol: 'udp' });
  assert.deepEqual(parseContainerPort('9/sctp'), { port: 9, protocol: 'sctp' });
  assert.deepEqual(parseContainerPort('80/'), { port: 80, protocol: 'tcp' });
  for (const bad of ['', '/tcp', '80/foo', '80/tcp/x', 'x/tcp', '80-90/tcp']) {
    assert.equal(parseContainerPort(bad), undefined, bad);
  }
});

test('bindings get one key a port, in their order, with texts where nulls were', () => {
  const normal = normalizePortBindings({
    '80': [{ HostPort: '8080' }],
    '80/TCP': [{ HostIp: '::1', HostPort: '' }],
    '53/udp': null as never,
    '9/sctp': [{ HostIp: '[::1]', HostPort: '1-2' }],
  });
  assert.deepEqual(normal, {
    '80/tcp': [
      { HostIp: '', HostPort: '8080' },
      { HostIp: '::1', HostPort: '' },
    ],
    '53/udp': [],
    '9/sctp': [{ HostIp: '[::1]', HostPort: '1-2' }],
  });
  assert.deepEqual(normalizePortBindings(undefined), {});
});

test('what is malformed is named as the reference does', () => {
  const refused =
    (key: string, binding = {}) =>
    () =>
      normalizePortBindings({ [key]: [binding] });
  for (const [work, message] of [
    [refused('x/tcp'), 'invalid port specification: "x"'],
    [refused('99999/tcp'), 'invalid port specification: "99999"'],
    [refused('80-90/tcp'), 'invalid port specification: "80-90"'],
    [refused('80/foo'), 'invalid port specification: "80/foo"'],
    [refused('80/tcp', { HostPort: '90-80' }), 'invalid port specification: "90-80"'],
    [refused('80/tcp', { HostIp: '1.2.3' }), 'invalid IP address in port binding: "1.2.3"'],
  ] as const) {
    assert.throws(work, { kind: 'invalid', message });
  }
});

test('exposed ports: ranges are spread, names are made whole', () => {
  assert.deepEqual(Object.keys(normalizeExposedPorts({ '80-82/udp': {}, '81/UDP': {}, '9': {} })).sort(), [
    '80/udp',
    '81/udp',
    '82/udp',
    '9/tcp',
  ]);
  assert.equal(Object.keys(normalizeExposedPorts({ '1-65535': {} })).length, 65_535);
  assert.deepEqual(normalizeExposedPorts(null), {});
  for (const bad of ['', '/tcp', 'x', '2-1', '80/foo']) {
    assert.throws(() => normalizeExposedPorts({ [bad]: {} }), {
      message: `invalid port specification: "${bad}"`,
    });
  }
});
