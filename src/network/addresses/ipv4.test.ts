import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatIpv4, overlaps, parseIpv4, parseSubnet } from './ipv4.ts';

describe('addresses', () => {
  it('reads and writes IPv4, and refuses what is none', () => {
    for (const text of ['0.0.0.0', '10.213.0.7', '255.255.255.255'])
      assert.equal(formatIpv4(parseIpv4(text)), text);
    for (const text of ['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '1.2.3.x', '1.2.3.-4'])
      assert.throws(() => parseIpv4(text), { kind: 'invalid' });
    assert.deepEqual(parseSubnet('10.1.2.3/8'), {
      address: parseIpv4('10.1.2.3'),
      base: parseIpv4('10.0.0.0'),
      prefix: 8,
    });
    assert.throws(() => parseSubnet('10.0.0.0/33'), { kind: 'invalid' });
  });

  it('tells ranges that touch', () => {
    const touch = (a: string, b: string) => overlaps(parseSubnet(a), parseSubnet(b));
    assert.equal(touch('10.0.0.0/8', '10.200.0.0/16'), true);
    assert.equal(touch('10.200.0.0/16', '10.0.0.0/8'), true);
    assert.equal(touch('10.0.0.0/24', '10.0.1.0/24'), false);
  });
});
