import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/index.ts';
import * as address from './address.ts';
import { decodeAddress, decodeLink, decodeLinkStats, decodeRoute, IFLA } from './decode.ts';
import { attributeText, type Message, MessageWriter, parseAttributes, parseMessages } from './message.ts';

function generator(seed: number) {
  let state = seed;
  return (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}
type Random = ReturnType<typeof generator>;

const bytes = (random: Random, length: number) => Buffer.from(Array.from({ length }, () => random(256)));

/** Attributes by type: bytes, or attributes again. */
type Tree = Map<number, Buffer | Tree>;

function randomTree(random: Random, depth: number): Tree {
  const tree: Tree = new Map();
  for (let left = random(6); left > 0; left--) {
    const nested = depth > 0 && random(3) === 0;
    tree.set(1 + random(100), nested ? randomTree(random, depth - 1) : bytes(random, random(40)));
  }
  return tree;
}

function write(writer: MessageWriter, tree: Tree, flagged: boolean): MessageWriter {
  for (const [type, value] of tree) {
    if (value instanceof Map) writer.nest(type, (inner) => write(inner, value, !flagged), flagged);
    else writer.bytes(type, value);
  }
  return writer;
}

function matches(data: Buffer, tree: Tree): void {
  const found = parseAttributes(data);
  assert.deepEqual([...found.keys()], [...tree.keys()]);
  for (const [type, value] of tree) {
    const raw = found.get(type) as Buffer;
    if (value instanceof Map) matches(raw, value);
    else assert.deepEqual(Buffer.from(raw), value);
  }
}

describe('random messages', () => {
  it('come back with every attribute, in order, however deep and long', () => {
    const random = generator(1);
    for (let round = 0; round < 500; round++) {
      const trees = Array.from({ length: 1 + random(4) }, () => randomTree(random, 4));
      const heads = trees.map(() => [random(0xffff), random(0xffff), random(0xffffffff)] as const);
      const written = trees.map((tree, at) =>
        Buffer.from(
          write(new MessageWriter(), tree, round % 2 === 0).finish(
            ...(heads[at] as [number, number, number]),
          ),
        ),
      );
      for (const one of written) assert.equal(one.length % 4, 0);
      const read = parseMessages(Buffer.concat(written));
      assert.deepEqual(
        read.map(({ type, flags, sequence }) => [type, flags, sequence]),
        heads,
      );
      for (const [at, { payload }] of read.entries()) matches(payload, trees[at] as Tree);
    }
  });

  it('cut or damaged, are a `corrupt` or other messages, and are never read beyond their end', () => {
    const random = generator(2);
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const good = Buffer.from(write(new MessageWriter(), randomTree(random, 2), true).finish(16, 2, round));
      const cut = Buffer.from(good.subarray(0, random(good.length + 1)));
      for (let left = random(3); left > 0 && cut.length > 0; left--) cut[random(cut.length)] = random(256);
      try {
        for (const { payload } of parseMessages(cut)) {
          assert.ok(payload.length <= cut.length - 16);
          for (const value of parseAttributes(payload).values())
            assert.ok(value.length <= payload.length - 4);
        }
      } catch (thrown) {
        assert.ok(isKind(thrown, 'corrupt'), String(thrown));
        refused += 1;
      }
    }
    assert.ok(refused > 100, `${refused} were refused`);
  });
});

describe('random addresses', () => {
  it('of IPv6 have the one short form, as URLs write it, and come back from it', () => {
    const random = generator(3);
    for (let round = 0; round < 3000; round++) {
      const raw = bytes(random, 16);
      for (let left = random(14); left > 0; left--) raw.fill(0, random(8) * 2).fill(0, 0, random(3) * 2);
      for (let left = random(8); left > 0; left--) raw.writeUInt16BE(0, random(8) * 2);
      const text = address.formatAddress(raw);
      assert.equal(`[${text}]`, new URL(`http://[${text}]/`).hostname);
      assert.deepEqual(address.addressBytes(text), raw);
      assert.deepEqual(address.addressBytes(text.toUpperCase()), raw);
    }
  });

  it('of IPv4, hardware and networks come back', () => {
    const random = generator(4);
    for (let round = 0; round < 1000; round++) {
      const [ip, mac, prefix] = [bytes(random, 4), bytes(random, 6), random(33)];
      const text = address.formatAddress(ip);
      assert.deepEqual(address.addressBytes(text), ip);
      assert.deepEqual(address.macBytes(address.formatMac(mac)), mac);
      const cidr = address.parseCidr(`${text}/${prefix}`);
      assert.deepEqual([cidr.family, cidr.bytes, cidr.prefix], [address.AF_INET, ip, prefix]);
      const broadcast = address.broadcastOf(cidr);
      assert.equal(broadcast === undefined, prefix > 30);
      if (!broadcast) continue;
      const host = 2 ** (32 - prefix) - 1;
      assert.equal(
        broadcast.readUInt32BE(0) - (ip.readUInt32BE(0) - (ip.readUInt32BE(0) % (host + 1))),
        host,
      );
    }
  });

  it('that are none are refused as `invalid`', () => {
    const addresses = [
      '',
      '1',
      '1.2.3',
      '1.2.3.4.5',
      '256.0.0.1',
      '1.2.3.04',
      '::1::',
      ':::',
      '1::2::3',
      'g::',
      '[::1]',
      ' ::1',
      '::1%lo',
      'fe80::1/64',
    ];
    for (const text of addresses) assert.throws(() => address.addressBytes(text), { kind: 'invalid' }, text);
    for (const text of [
      '10.0.0.1/-1',
      '10.0.0.1/ 8',
      '10.0.0.1/8 ',
      '::1/129',
      '/8',
      '10.0.0.1/0x8',
      '10.0.0.1/1e1',
    ])
      assert.throws(() => address.parseCidr(text), { kind: 'invalid' }, text);
    for (const text of [
      '',
      '02:42',
      '02:42:ac:11:00:0g',
      '02-42-ac-11-00-02',
      '02:42:ac:11:00:02:03',
      '2:42:ac:11:0:2',
    ])
      assert.throws(() => address.macBytes(text), { kind: 'invalid' }, text);
  });
});

describe('answers of the kernel', () => {
  const answer = (fixed: Buffer, fill: (writer: MessageWriter) => MessageWriter): Message => {
    const [message] = parseMessages(fill(new MessageWriter().fixed(fixed)).finish(16, 0, 1));
    return message as Message;
  };
  const link = (index: number, flags: number) => {
    const fixed = Buffer.alloc(16);
    fixed.writeInt32LE(index, 4);
    fixed.writeUInt32LE(flags, 8);
    return fixed;
  };

  it('with nothing in them give what is known, and no invented field', () => {
    assert.deepEqual(decodeLink(answer(link(7, 0), (writer) => writer)), {
      index: 7,
      name: '',
      mac: '',
      mtu: 0,
      up: false,
      running: false,
    });
    const stats = decodeLinkStats(answer(link(7, 0), (writer) => writer));
    assert.deepEqual(new Set(Object.values(stats)), new Set([0]));
    assert.equal(decodeAddress(answer(Buffer.alloc(8), (writer) => writer)).cidr, '0.0.0.0/0');
  });

  it('name a peer for veths only: of other links that number is another thing', () => {
    const of = (kind: string) =>
      decodeLink(
        answer(link(2, 0x41), (writer) =>
          writer
            .text(IFLA.IFNAME, 'x0')
            .u32(IFLA.LINK, 9)
            .nest(IFLA.LINKINFO, (info) => info.text(IFLA.INFO_KIND, kind)),
        ),
      );
    assert.deepEqual([of('veth').peerIndex, of('veth').up, of('veth').running], [9, true, true]);
    assert.deepEqual([of('vlan').peerIndex, of('vlan').kind], [undefined, 'vlan']);
  });

  it('give the own address of a point-to-point link, and the family of each', () => {
    const fixed = Buffer.from([address.AF_INET, 30, 0, 253, 5, 0, 0, 0]);
    const [own, peer] = ['10.0.0.1', '10.0.0.2'].map(address.addressBytes) as [Buffer, Buffer];
    const found = decodeAddress(answer(fixed, (writer) => writer.bytes(1, peer).bytes(2, own)));
    assert.deepEqual(found, { linkIndex: 5, cidr: '10.0.0.1/30', family: 4, scope: 253 });
    const six = Buffer.from([address.AF_INET6, 64, 0, 0, 5, 0, 0, 0]);
    const local = decodeAddress(answer(six, (writer) => writer.bytes(1, address.addressBytes('fd00::5'))));
    assert.deepEqual([local.cidr, local.family], ['fd00::5/64', 6]);
  });

  it('are routes when they are unicast and of the main table', () => {
    const route = (table: number, type: number) =>
      decodeRoute(
        answer(Buffer.from([address.AF_INET, 8, 0, 0, table, 3, 0, type, 0, 0, 0, 0]), (writer) =>
          writer
            .bytes(1, address.addressBytes('10.0.0.0'))
            .bytes(5, address.addressBytes('10.1.1.1'))
            .u32(4, 3),
        ),
      );
    assert.deepEqual(route(254, 1), { family: 4, dst: '10.0.0.0/8', gateway: '10.1.1.1', linkIndex: 3 });
    for (const [table, type] of [
      [255, 1],
      [254, 2],
      [254, 3],
      [0, 1],
    ])
      assert.equal(route(table as number, type as number), undefined);
  });

  it('end texts at the NUL, with or without one', () => {
    assert.equal(attributeText(Buffer.from('eth0\0rest')), 'eth0');
    assert.equal(attributeText(Buffer.from('eth0')), 'eth0');
    assert.equal(attributeText(Buffer.alloc(0)), '');
    assert.equal(attributeText(undefined), undefined);
  });
});
