import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { isKind } from '../../base/index.ts';
import { exchange, type WireBody } from './wire.ts';

/** A server that answers the first bytes of each connection so, and a client of it. */
async function raw(answer: (socket: Socket) => void) {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const agent = new Agent({ keepAlive: true });
  return {
    open,
    agent,
    send: (method: string, body?: WireBody, stallMs = 20_000) =>
      exchange({ method, url, headers: {}, agent, stallMs, ...(body && { body }) }),
    async [Symbol.asyncDispose]() {
      agent.destroy();
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('an answer whose connection broke before anybody looked at its body is put away all the same', async () => {
  await using server = await raw((socket) => {
    socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 10\r\n\r\nab');
    setTimeout(() => socket.destroy(), 5);
  });
  const response = await server.send('GET');
  while (server.open.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 20));
  await response.discard();
  await assert.rejects(response.bytes(100));
});

test('an answer before the end of the request leaves no connection behind', { timeout: 20_000 }, async () => {
  await using server = await raw((socket) => {
    socket.pause();
    socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nab');
  });
  const piece = Buffer.alloc(1 << 20);
  const bodies: WireBody[] = [
    Buffer.alloc(40 << 20),
    {
      length: 40 << 20,
      async *open() {
        for (let at = 0; at < 40; at++) yield piece;
      },
    },
  ];
  for (const body of bodies) {
    const response = await server.send('PUT', body);
    assert.equal(response.status, 413);
    assert.equal(String(await response.bytes(10)), 'ab');
    while (Object.keys(server.agent.sockets).length > 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

test('a connection whose request and answer are whole serves the next one', async () => {
  let connections = 0;
  await using server = await raw((socket) => {
    connections += 1;
    const answer = () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    answer();
    socket.on('data', answer);
  });
  for (let round = 0; round < 5; round++) {
    const response = await server.send(round % 2 ? 'GET' : 'PUT', round % 2 ? undefined : Buffer.from('x'));
    await response.discard();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(connections, 1);
});

test('an answer that drips is given up: its place is wanted by others', { timeout: 20_000 }, async () => {
  await using server = await raw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
    const timer = setInterval(() => socket.write('.'), 10);
    socket.on('close', () => clearInterval(timer));
  });
  const response = await server.send('GET', undefined, 200);
  await assert.rejects(response.bytes(100_000), (thrown) => isKind(thrown, 'unavailable'));
  while (server.open.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});
