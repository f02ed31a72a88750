import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  bitsOf,
  canonicalAddress,
  contains,
  formatAddress,
  formatRange,
  isAddress,
  isDefaultLike,
  lastOf,
  macOf,
  overlaps,
  parseAddress,
  parseCidr,
  parseRange,
  type Range,
  rangeOf,
} from './address.ts';
import { randomNumbers } from './random-numbers.ts';

describe('addresses', () => {
  it('are written in one form', () => {
    const forms = {
      '172.17.0.2': '172.17.0.2',
      '0.0.0.0': '0.0.0.0',
      '255.255.255.255': '255.255.255.255',
      '::': '::',
      '::1': '::1',
      'FD00:0:0:0:0:0:0:0': 'fd00::',
      '2001:db8:0:1:0:0:0:1': '2001:db8:0:1::1',
      '1:0:0:2:3:0:0:4': '1::2:3:0:0:4',
      '1:2:3:0:5:6:7:8': '1:2:3:0:5:6:7:8',
      '::ffff:10.0.0.1': '::ffff:a00:1',
      '64:ff9b::192.0.2.33': '64:ff9b::c000:221',
    };
    for (const [text, canonical] of Object.entries(forms)) assert.equal(canonicalAddress(text), canonical);
  });

  it('come back from their text, and so do their ranges', () => {
    const { below, bits } = randomNumbers(1);
    for (let round = 0; round < 3000; round++) {
      const family = below(2) ? 4 : 6;
      // Runs of zeros as real addresses have them.
      const value = bits(bitsOf(family)) & (below(2) ? bits(bitsOf(family)) : -1n);
      const prefix = below(bitsOf(family) + 1);
      const address = { family, value } as const;
      assert.deepEqual(parseAddress(formatAddress(address)), address);
      const { address: again, range } = parseCidr(`${formatAddress(address)}/${prefix}`);
      assert.deepEqual(again, address);
      assert.deepEqual(range, rangeOf(address, prefix));
      assert.deepEqual(parseRange(formatRange(range)), range);
      assert.ok(contains(range, address) && contains(range, { family, value: lastOf(range) }));
      assert.ok(!contains(range, { family, value: lastOf(range) + 1n }));
      assert.ok(!contains(range, { family, value: range.base - 1n }));
    }
  });

  it('that are none are refused', () => {
    const none = ['', ' 1.2.3.4', '1.2.3.4\n', '1.2.3', '1.2.3.4.5', '1.2.3.256', '1.2.3.04', '0x1.2.3.4'];
    for (const text of [...none, ':::', '1::2::3', 'fe80::1%eth0', '12345::', 'g::', '1:2:3:4:5:6:7'])
      assert.ok(!isAddress(text), text);
    for (const text of none) assert.throws(() => parseAddress(text), { kind: 'invalid' }, text);
    const ranges = [
      '10.0.0.0',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '10.0.0.0/08',
      '10.0.0/8',
      '::/129',
    ];
    for (const text of [...ranges, '::/ 8', 'fe80::%1/64', '10.0.0.0/8/8'])
      assert.throws(() => parseRange(text), { kind: 'invalid' }, text);
  });

  it('overlap exactly when one range holds the other’s first address, and never across families', () => {
    const { below } = randomNumbers(2);
    const random = (): Range =>
      below(2)
        ? parseRange(`10.${below(2)}.${below(4) * 64}.${below(4) * 64}/${20 + below(13)}`)
        : parseRange(`fd00::${below(4)}:${below(4) * 1000}/${100 + below(29)}`);
    for (let round = 0; round < 5000; round++) {
      const [left, right] = [random(), random()];
      const expected =
        contains(left, { family: right.family, value: right.base }) ||
        contains(right, { family: left.family, value: left.base });
      assert.equal(overlaps(left, right), expected, `${formatRange(left)} ${formatRange(right)}`);
    }
    assert.equal(overlaps(parseRange('0.0.0.0/0'), parseRange('::/0')), false);
  });

  it('of a VPN that covers the world are told from those of a site', () => {
    for (const wide of ['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1', '::/0', '2000::/3', '8000::/1'])
      assert.ok(isDefaultLike(parseRange(wide)), wide);
    for (const site of ['10.0.0.0/8', '172.16.0.0/12', 'fc00::/7', 'fd00::/8'])
      assert.ok(!isDefaultLike(parseRange(site)), site);
  });

  it('have hardware addresses of their own, none of them a group’s', () => {
    assert.equal(macOf('172.17.0.2'), '02:42:ac:11:00:02');
    const { bits } = randomNumbers(3);
    const values = new Set(Array.from({ length: 2000 }, () => bits(32)));
    const macs = new Set([...values].map((value) => macOf(formatAddress({ family: 4, value }))));
    for (const mac of macs) assert.match(mac, /^02:42(:[0-9a-f]{2}){4}$/);
    assert.equal(macs.size, values.size);
  });
});
