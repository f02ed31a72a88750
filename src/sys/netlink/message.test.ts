import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/index.ts';
import * as address from './address.ts';
import { attributeText, MessageWriter, parseAttributes, parseMessages } from './message.ts';

describe('messages', () => {
  it('pads attributes and counts their own length', () => {
    const message = new MessageWriter().fixed(Buffer.alloc(16)).text(3, 'lo').u32(4, 1500).finish(16, 5, 9);
    assert.equal(
      message.toString('hex'),
      `30000000100005000900000000000000${'00'.repeat(16)}070003006c6f000008000400dc050000`,
    );
  });

  it('comes back as it was written, nested and grown', () => {
    const long = Buffer.alloc(3000, 7);
    const data = new MessageWriter()
      .nest(18, (info) => info.text(1, 'veth').nest(2, (inner) => inner.u8(4, 1), true))
      .bytes(7, long)
      .finish(1, 2, 3);
    const [message, ...rest] = parseMessages(Buffer.concat([data, data]));
    assert.equal(rest.length, 1);
    assert.deepEqual([message?.type, message?.flags, message?.sequence], [1, 2, 3]);
    const outer = parseAttributes(message?.payload as Buffer);
    assert.deepEqual(Buffer.from(outer.get(7) as Buffer), long);
    const info = parseAttributes(outer.get(18) as Buffer);
    assert.equal(attributeText(info.get(1)), 'veth');
    assert.deepEqual([...(parseAttributes(info.get(2) as Buffer).get(4) as Buffer)], [1]);
  });

  it('refuses a message longer than the data and stops at a broken attribute', () => {
    const data = new MessageWriter().u8(1, 1).finish(1, 0, 0);
    assert.throws(
      () => parseMessages(data.subarray(0, 18)),
      (e) => isKind(e, 'corrupt'),
    );
    assert.equal(parseAttributes(Buffer.from([200, 0, 1, 0, 5])).size, 0);
    assert.throws(
      () => new MessageWriter().text(1, 'a\0b'),
      (e) => isKind(e, 'invalid'),
    );
  });
});

describe('addresses', () => {
  for (const text of [
    '0.0.0.0',
    '172.17.0.2',
    '::',
    '::1',
    'fd00:5::2',
    '2001:db8:0:1::',
    '1:2:3:4:5:6:7:8',
  ]) {
    it(`reads and writes ${text}`, () => {
      assert.equal(address.formatAddress(address.addressBytes(text)), text);
    });
  }

  it('reads an embedded IPv4 address', () => {
    assert.equal(address.addressBytes('::ffff:10.0.0.1').toString('hex'), '00000000000000000000ffff0a000001');
  });

  it('parses prefixes and computes broadcasts', () => {
    const broadcast = (cidr: string) => {
      const bytes = address.broadcastOf(address.parseCidr(cidr));
      return bytes && address.formatAddress(bytes);
    };
    assert.equal(broadcast('172.17.0.2/16'), '172.17.255.255');
    assert.equal(broadcast('10.0.0.1/30'), '10.0.0.3');
    assert.equal(broadcast('10.0.0.1/31'), undefined);
    assert.equal(broadcast('fd00::1/64'), undefined);
    assert.equal(address.parseCidr('10.0.0.1').prefix, 32);
    for (const bad of ['10.0.0.1/33', '10.0.0/8', 'x/8', '10.0.0.1/', '10.0.0.1/8/8', 'fe80::1%eth0/64']) {
      assert.throws(
        () => address.parseCidr(bad),
        (e) => isKind(e, 'invalid'),
        bad,
      );
    }
  });

  it('reads and writes MAC addresses', () => {
    assert.equal(address.formatMac(address.macBytes('02:42:AC:11:00:02')), '02:42:ac:11:00:02');
    assert.throws(
      () => address.macBytes('02:42:ac:11:00'),
      (e) => isKind(e, 'invalid'),
    );
  });
});
