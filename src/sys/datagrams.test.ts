import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Datagram, receiveDatagrams, sendDatagrams } from './datagrams.ts';
import { isErrno } from './errno.ts';
import type { Fd } from './fd.ts';
import { openSocket, socketName } from './inet-socket.ts';
import { decodeSocketAddress, encodeSocketAddress } from './socket-address.ts';

// Sockets on the loopback: what is sent waits at the other one when the call returns.
const bound = (family: 4 | 6 = 4) =>
  openSocket({ family, type: 'dgram', bind: { ip: family === 4 ? '127.0.0.1' : '::1', port: 0 } });
const addressOf = (socket: Fd) => encodeSocketAddress(socketName(socket));

/** All that waits, as text, with the senders' ports. */
function received(socket: Fd): { text: string; port: number }[] {
  const found: { text: string; port: number }[] = [];
  while (
    receiveDatagrams(socket, (data, peer) => {
      found.push({ text: data.toString(), port: decodeSocketAddress(peer).port });
    }) > 0
  );
  return found;
}

describe('datagrams', () => {
  for (const family of [4, 6] as const) {
    it(`go there and back over IPv${family} by the raw address of the sender`, () => {
      using server = bound(family);
      using client = bound(family);
      assert.equal(sendDatagrams(client, [{ data: Buffer.from('question'), peer: addressOf(server) }]), 1);
      const answers: Datagram[] = [];
      const count = receiveDatagrams(server, (data, peer) => {
        answers.push({ data: Buffer.from(`${data} answered`), peer: Buffer.from(peer) });
      });
      assert.equal(count, 1);
      sendDatagrams(server, answers);
      assert.deepEqual(received(client), [{ text: 'question answered', port: socketName(server).port }]);
    });
  }

  it('keep their order and bounds, more than one call carries', () => {
    using server = bound();
    using client = openSocket({ family: 4, type: 'dgram', connect: socketName(server) });
    const texts = Array.from({ length: 150 }, (_, at) => 'x'.repeat(at % 70) + at);
    assert.equal(
      sendDatagrams(
        client,
        texts.map((text) => ({ data: Buffer.from(text) })),
      ),
      150,
    );
    assert.deepEqual(
      received(server).map(({ text }) => text),
      texts,
    );
    assert.equal(
      receiveDatagrams(server, () => assert.fail('empty')),
      0,
    );
  });

  it('give others a turn after 256, which wait where there is room for them', () => {
    const bind = { ip: '127.0.0.1', port: 0 };
    using server = openSocket({ family: 4, type: 'dgram', receiveBuffer: 1 << 20, bind });
    using client = openSocket({ family: 4, type: 'dgram', connect: socketName(server) });
    const hundred = Array.from({ length: 100 }, () => ({ data: Buffer.alloc(1) }));
    for (let round = 0; round < 3; round++) sendDatagrams(client, hundred);
    const counts = [0, 0, 0].map(() => receiveDatagrams(server, () => {}));
    assert.deepEqual(counts, [256, 44, 0]);
  });

  it('may be empty, or as long as UDP allows', () => {
    using server = bound();
    using client = openSocket({ family: 4, type: 'dgram', connect: socketName(server) });
    const long = Buffer.alloc(65_507, 'y');
    sendDatagrams(client, [{ data: Buffer.alloc(0) }, { data: long }, { data: Buffer.from('z') }]);
    const found = received(server).map(({ text }) => text);
    assert.deepEqual(
      found.map((text) => text.length),
      [0, 65_507, 1],
    );
    assert.equal(found[1], long.toString());
  });

  it('that are short come whole after long ones were sent and received', () => {
    using server = bound();
    using client = bound();
    const peer = addressOf(server);
    for (const length of [60_000, 3, 20_000, 1])
      sendDatagrams(client, [{ data: Buffer.alloc(length, 'a'), peer }]);
    assert.deepEqual(
      received(server).map(({ text }) => text.length),
      [60_000, 3, 20_000, 1],
    );
  });

  it('of both families and of none follow each other on one socket', () => {
    using server = bound(6);
    using server4 = bound();
    using client6 = bound(6);
    using client4 = bound();
    for (let round = 0; round < 3; round++) {
      sendDatagrams(client6, [{ data: Buffer.from('six'), peer: addressOf(server) }]);
      sendDatagrams(client4, [{ data: Buffer.from('four'), peer: addressOf(server4) }]);
      const lengths: number[] = [];
      receiveDatagrams(server, (_, peer) => lengths.push(peer.length));
      receiveDatagrams(server4, (_, peer) => lengths.push(peer.length));
      assert.deepEqual(lengths, [28, 16]);
    }
  });

  it('that cannot be sent are dropped, and the others arrive', () => {
    using server = bound();
    using client = bound();
    const peer = addressOf(server);
    const sent = sendDatagrams(client, [
      { data: Buffer.from('first'), peer },
      { data: Buffer.alloc(70_000), peer },
      { data: Buffer.from('no family'), peer: Buffer.alloc(16, 0xff) },
      { data: Buffer.from('nowhere') },
      { data: Buffer.from('broadcast'), peer: encodeSocketAddress({ ip: '255.255.255.255', port: 9 }) },
      { data: Buffer.from('last'), peer },
    ]);
    assert.equal(sent, 6);
    assert.deepEqual(
      received(server).map(({ text }) => text),
      ['first', 'last'],
    );
  });

  it('a listener may receive and send itself while it is told of others', () => {
    using outer = bound();
    using inner = bound();
    using client = bound();
    const send = (to: Fd, text: string) =>
      sendDatagrams(client, [{ data: Buffer.from(text), peer: addressOf(to) }]);
    send(outer, 'one');
    send(outer, 'two');
    const seen: string[] = [];
    receiveDatagrams(outer, (data) => {
      send(inner, `about ${data}`);
      const [about] = received(inner);
      seen.push(`${data}: ${about?.text}`);
    });
    assert.deepEqual(seen, ['one: about one', 'two: about two']);
  });

  it('a listener that throws leaves the socket usable', () => {
    using server = bound();
    using client = openSocket({ family: 4, type: 'dgram', connect: socketName(server) });
    const two = [{ data: Buffer.from('a') }, { data: Buffer.from('b') }];
    sendDatagrams(client, two);
    assert.throws(
      () =>
        receiveDatagrams(server, () => {
          throw new Error('no');
        }),
      /no/,
    );
    sendDatagrams(client, [{ data: Buffer.from('c') }]);
    assert.deepEqual(
      received(server).map(({ text }) => text),
      ['c'],
    );
  });

  it('to a port where nobody listens come back as ECONNREFUSED, once', async () => {
    const gone = bound();
    const connect = socketName(gone);
    gone.close();
    using client = openSocket({ family: 4, type: 'dgram', connect });
    sendDatagrams(client, [{ data: Buffer.from('?') }]);
    assert.throws(
      () => receiveDatagrams(client, () => {}),
      (e) => isErrno(e, 'ECONNREFUSED'),
    );
    assert.equal(
      receiveDatagrams(client, () => {}),
      0,
    );
  });

  it('on what is no socket are refused, and no descriptor is opened by any of it', () => {
    const home = readdirSync('/proc/self/fd').length;
    assert.throws(
      () => receiveDatagrams(-1, () => {}),
      (e) => isErrno(e, 'EBADF'),
    );
    assert.throws(
      () => sendDatagrams(-1, [{ data: Buffer.from('x') }]),
      (e) => isErrno(e, 'EBADF'),
    );
    assert.equal(sendDatagrams(-1, []), 0);
    assert.equal(readdirSync('/proc/self/fd').length, home);
  });
});
