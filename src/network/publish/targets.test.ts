import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PublishedPort } from '../types.ts';
import { portTargets } from './targets.ts';
import type { PortOwner } from './types.ts';

const owner: PortOwner = {
  containerId: 'c',
  name: 'web',
  endpointId: 'e',
  ipv4: '10.0.0.2',
  ipv6: 'fd00::2',
  policy: 'open',
  hostBinding: '',
  netnsPath: '/n',
};
const on = (hostIp: string): PublishedPort => ({
  protocol: 'tcp',
  containerPort: 80,
  hostIp,
  hostPort: 8080,
});
const all = ['0.0.0.0', '127.0.0.1', '::', '2001:db8::1', '::1'].map(on);
const places = (mode: 'nat' | 'routed', more: Partial<PortOwner> = {}) =>
  portTargets(all, { ...owner, ...more }, 'br0', mode).map(
    ({ hostIp, containerIp }) => `${hostIp} → ${containerIp}`,
  );

describe('the kernel', () => {
  it('translates every address within its family, save the IPv6 loopback', () => {
    assert.deepEqual(places('nat'), [
      '0.0.0.0 → 10.0.0.2',
      '127.0.0.1 → 10.0.0.2',
      ':: → fd00::2',
      '2001:db8::1 → fd00::2',
    ]);
    assert.deepEqual(places('nat', { ipv6: '' }), ['0.0.0.0 → 10.0.0.2', '127.0.0.1 → 10.0.0.2']);
    assert.deepEqual(places('nat', { ipv4: '' }), [':: → fd00::2', '2001:db8::1 → fd00::2']);
    assert.deepEqual(portTargets([on('0.0.0.0')], owner, 'br0', 'nat'), [
      { ...on('0.0.0.0'), containerIp: '10.0.0.2', bridge: 'br0', mode: 'nat' },
    ]);
  });

  it('translates nothing of obeyed ports, and lets through what routed networks open', () => {
    assert.deepEqual(places('nat', { policy: 'obey' }), []);
    assert.equal(places('routed', { policy: 'obey' }).length, 5);
    assert.deepEqual(places('routed', { ipv4: '' }), [
      ':: → fd00::2',
      '2001:db8::1 → fd00::2',
      '::1 → fd00::2',
    ]);
  });
});
