import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { receiveDatagrams, sendDatagrams } from '../datagrams.ts';
import type { Fd } from '../fd.ts';
import { openSocket, socketName } from '../inet-socket.ts';
import { createNetns, deleteNetns } from '../namespace.ts';
import { withNetns } from '../netns-switch.ts';
import { runNft } from '../nft.ts';
import { encodeSocketAddress } from '../socket-address.ts';
import { type Connection, decodeConnection, deleteConnections } from './conntrack.ts';
import { MessageWriter, parseAttributes } from './message.ts';

let base: string;
let netns: string;

before(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-conntrack-'));
  netns = join(base, 'ns');
  createNetns(netns);
});
after(() => {
  deleteNetns(netns);
  rmSync(base, { recursive: true, force: true });
});

const forget = (family: 4 | 6, match: (entry: Connection) => boolean) =>
  withNetns(netns, () => deleteConnections(family, match));
function tracked(family: 4 | 6): Connection[] {
  const found: Connection[] = [];
  forget(family, (entry) => {
    found.push(entry);
    return false;
  });
  return found;
}
/** Translates what is sent to port 999 to that port. */
const translate = (port: number) =>
  withNetns(netns, () =>
    runNft(`add table inet t; delete table inet t
      table inet t {
        chain out { type nat hook output priority -100; udp dport 999 redirect to :${port}; }
      }`),
  );
const waiting = (socket: Fd) => receiveDatagrams(socket, () => {});

for (const [family, loopback] of [
  [4, '127.0.0.1'],
  [6, '::1'],
] as const) {
  describe(`connections of IPv${family}`, () => {
    const bind = { ip: loopback, port: 0 };
    const open = () => openSocket({ netns, family, type: 'dgram', bind });
    const to999 = { data: Buffer.from('x'), peer: encodeSocketAddress({ ip: loopback, port: 999 }) };

    it('follow their old translation until they are forgotten', () => {
      using old = open();
      using now = open();
      using client = open();
      using bystander = open();
      translate(socketName(old).port);
      for (const sender of [client, bystander]) sendDatagrams(sender, [to999]);
      assert.equal(waiting(old), 2);
      translate(socketName(now).port);
      sendDatagrams(client, [to999]);
      assert.deepEqual([waiting(old), waiting(now)], [1, 0]);
      const { port } = socketName(client);
      const entry = tracked(family).find(({ sourcePort }) => sourcePort === port);
      assert.deepEqual(entry, {
        protocol: 17,
        source: loopback,
        destination: loopback,
        sourcePort: port,
        destinationPort: 999,
        replySource: loopback,
        replySourcePort: socketName(old).port,
      });
      assert.equal(
        forget(family, ({ sourcePort }) => sourcePort === port),
        1,
      );
      for (const sender of [client, bystander]) sendDatagrams(sender, [to999]);
      assert.deepEqual([waiting(old), waiting(now)], [1, 1], 'the bystander stays where it was');
    });

    it('are forgotten by the hundred, and none of the other family', () => {
      using server = open();
      translate(socketName(server).port);
      const clients = Array.from({ length: 300 }, open);
      for (const client of clients) {
        sendDatagrams(client, [to999]);
        waiting(server);
      }
      const other = tracked(family === 4 ? 6 : 4).length;
      assert.ok(forget(family, ({ destinationPort }) => destinationPort === 999) >= 300);
      assert.equal(
        forget(family, ({ destinationPort }) => destinationPort === 999),
        0,
      );
      assert.equal(tracked(family === 4 ? 6 : 4).length, other);
      for (const client of clients) client.close();
    });
  });
}

it('entries are read by their attributes; one that lacks a direction is none', () => {
  const tuple = (writer: MessageWriter, type: number, bytes: number[]) =>
    writer.nest(type, (inner) =>
      inner
        .nest(1, (ip) => ip.bytes(1, Buffer.from([10, 0, 0, 1])).bytes(2, Buffer.from([10, 0, 0, 2])))
        .nest(2, (proto) =>
          proto
            .u8(1, 132)
            .bytes(2, Buffer.from([0x12, 0x34]))
            .bytes(3, Buffer.from(bytes)),
        ),
    );
  const read = (writer: MessageWriter) =>
    decodeConnection(parseAttributes(Buffer.from(writer.finish(0, 0, 0).subarray(16))));
  const both = tuple(tuple(new MessageWriter(), 1, [0, 80]), 2, [0, 81]);
  assert.deepEqual(read(both), {
    protocol: 132,
    source: '10.0.0.1',
    destination: '10.0.0.2',
    sourcePort: 0x1234,
    destinationPort: 80,
    replySource: '10.0.0.1',
    replySourcePort: 0x1234,
  });
  assert.equal(read(tuple(new MessageWriter(), 1, [0, 80])), undefined);
  assert.equal(read(new MessageWriter()), undefined);
});

it('an error of the caller keeps no descriptor', () => {
  using socket = openSocket({ netns, family: 4, type: 'dgram' });
  sendDatagrams(socket, [
    { data: Buffer.from('x'), peer: encodeSocketAddress({ ip: '127.0.0.1', port: 9 }) },
  ]);
  const home = readdirSync('/proc/self/fd').length;
  const attempt = () =>
    forget(4, () => {
      throw new Error('no');
    });
  assert.throws(attempt, /no/);
  assert.equal(readdirSync('/proc/self/fd').length, home);
});
