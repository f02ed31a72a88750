import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostResolverConfig, parseResolvConf } from './resolver.ts';

describe('resolv.conf', () => {
  it('is read as resolv.conf(5) says', () => {
    const text =
      '# c\nnameserver 1.1.1.1 ; x\nnameserver 9.9.9.9\ndomain old\nsearch a.example b.example .\noptions ndots:2\noptions rotate\n';
    assert.deepEqual(parseResolvConf(text), {
      nameservers: ['1.1.1.1', '9.9.9.9'],
      search: ['a.example', 'b.example'],
      options: ['ndots:2', 'rotate'],
    });
  });

  it('goes behind the stub, drops loopback, falls back', () => {
    const files: Record<string, string> = {
      '/etc/resolv.conf': 'nameserver 127.0.0.53\nsearch stub',
      '/run/systemd/resolve/resolv.conf': 'nameserver 10.0.0.53\nnameserver fe80::1\nsearch real',
    };
    const read = (path: string) => files[path];
    assert.deepEqual(hostResolverConfig(read), { nameservers: ['10.0.0.53'], search: ['real'], options: [] });
    assert.deepEqual(hostResolverConfig(read, true).nameservers, ['10.0.0.53', 'fe80::1']);
    assert.deepEqual(hostResolverConfig(() => 'nameserver 127.0.0.1').nameservers, ['8.8.8.8', '8.8.4.4']);
    assert.deepEqual(hostResolverConfig(() => undefined).nameservers, ['8.8.8.8', '8.8.4.4']);
  });
});
