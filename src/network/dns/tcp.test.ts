import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { Answerer } from './listener.ts';
import { parseQuestion, type Question } from './message.ts';
import { Framed, frame, serveConnection } from './tcp.ts';
import { query, read, reply } from './testing/name-lab.ts';

describe('messages over TCP', () => {
  it('are found however they are cut', () => {
    const messages = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(300, 7), Buffer.from('four')];
    const stream = Buffer.concat(messages.map(frame));
    for (const size of [1, 2, 3, 7, 100, stream.length]) {
      const framed = new Framed(300);
      const found: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size)
        assert(framed.push(stream.subarray(at, at + size), (message) => found.push(Buffer.from(message))));
      assert.deepEqual(found, messages, `in pieces of ${size}`);
    }
  });

  it('that are too long end it, before they are gathered', () => {
    const framed = new Framed(300);
    const found: Buffer[] = [];
    const stream = Buffer.concat([frame(Buffer.from('good')), Buffer.from([0x01, 0x2d])]);
    assert.equal(
      framed.push(stream, (message) => found.push(Buffer.from(message))),
      false,
    );
    assert.deepEqual(found.map(String), ['good']);
  });
});

/** A served connection and a client on it. */
async function connected(answerer: Answerer): Promise<{ client: Socket; replies: Buffer[]; end(): void }> {
  const server = createServer((socket) => serveConnection(socket, answerer));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const framed = new Framed(0xffff);
  const replies: Buffer[] = [];
  client.on('data', (chunk) => framed.push(chunk, (message) => replies.push(Buffer.from(message))));
  client.on('error', () => {});
  const end = () => {
    client.destroy();
    server.close();
  };
  return { client, replies, end };
}

const turn = () => new Promise((next) => setTimeout(next, 2));

describe('a connection', { timeout: 20_000 }, () => {
  it('has no more than a few questions under way with others, and all answered in the end', async () => {
    const waiting: (() => void)[] = [];
    let most = 0;
    const answerer: Answerer = {
      now: (message) => parseQuestion(Buffer.from(message)) as Question,
      later: ({ message }) =>
        new Promise((resolve) => {
          waiting.push(() => resolve(reply(message)));
          most = Math.max(most, waiting.length);
        }),
    };
    const { client, replies, end } = await connected(answerer);
    // Each in a piece of its own, or one read would bring them all.
    for (let id = 0; id < 200; id++) {
      client.write(frame(query('a', 1, { id })));
      await turn();
    }
    assert(most >= 32 && most < 64, `${most} under way`);
    while (replies.length < 200) {
      for (const answer of waiting.splice(0)) answer();
      await turn();
    }
    assert.equal(new Set(replies.map((each) => read(each).id)).size, 200);
    end();
  });

  it('is not read from while its client takes no answers', async () => {
    let asked = 0;
    const big = Buffer.alloc(60_000);
    const answerer: Answerer = {
      now: () => {
        asked += 1;
        return big;
      },
      later: () => Promise.reject(new Error('never')),
    };
    const { client, replies, end } = await connected(answerer);
    client.pause();
    const questions = 3000;
    for (let id = 0; id < questions; id++) client.write(frame(query(`name-${'x'.repeat(50)}-${id}`)));
    let before = -1;
    while (before !== asked) {
      before = asked;
      for (let n = 0; n < 20; n++) await turn();
    }
    assert(asked < questions, `${asked} were read`);
    client.resume();
    while (replies.length < questions) await turn();
    end();
  });

  it('gets nothing for what needs silence, and goes on', async () => {
    const answerer: Answerer = {
      now: (message) => (message.length < 12 ? undefined : Buffer.from(message)),
      later: () => Promise.reject(new Error('never')),
    };
    const { client, replies, end } = await connected(answerer);
    client.write(
      Buffer.concat([Buffer.alloc(3), frame(query('a'))].map((each, at) => (at === 0 ? frame(each) : each))),
    );
    while (replies.length < 1) await turn();
    assert.deepEqual(replies, [query('a')]);
    end();
  });
});
