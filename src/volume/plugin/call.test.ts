import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSocket, type Server as SocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { callPlugin } from './call.ts';

let root: string;
let socketPath: string;
let server: Server | SocketServer | undefined;
const limits = { answerMs: 5_000, connectMs: 0 };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wharf-plugin-call-'));
  socketPath = join(root, 'p.sock');
});
afterEach(() => {
  server?.close();
  if (server && 'closeAllConnections' in server) server.closeAllConnections();
  server = undefined;
  rmSync(root, { recursive: true, force: true });
});

async function listening<T extends Server | SocketServer>(one: T): Promise<T> {
  server = one;
  await new Promise<void>((resolve) => {
    one.listen(socketPath, resolve);
  });
  return one;
}
const answering = (listener: RequestListener) => listening(createServer(listener));
const call = (body: unknown = {}, own = limits) => callPlugin({ socketPath }, 'VolumeDriver.Get', body, own);

describe('a call', () => {
  it('is a POST of JSON to the method, with the version of the protocol', async () => {
    const seen: unknown[] = [];
    await answering(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const { method, url, headers } = request;
      seen.push([method, url, headers.accept, headers.host, Buffer.concat(parts).toString()]);
      response.end('{"Volume":{"Name":"a"}}');
    });
    assert.deepEqual(await call({ Name: 'a' }), { Volume: { Name: 'a' } });
    assert.deepEqual(seen, [
      [
        'POST',
        '/VolumeDriver.Get',
        'application/vnd.docker.plugins.v1.2+json',
        'plugin.moby.localhost',
        '{"Name":"a"}\n',
      ],
    ]);
  });

  it('without a body sends none', async () => {
    await answering((request, response) => {
      response.end(JSON.stringify({ length: request.headers['content-length'] }));
    });
    assert.deepEqual(await callPlugin({ socketPath }, 'Plugin.Activate', undefined, limits), {
      length: '0',
    });
  });

  it('goes over TCP, too', async () => {
    const own = createServer((_request, response) => response.end('{"Err":""}'));
    server = own;
    await new Promise<void>((resolve) => {
      own.listen(0, '127.0.0.1', resolve);
    });
    const { port } = own.address() as { port: number };
    assert.deepEqual(await callPlugin({ host: '127.0.0.1', port }, 'X', {}, limits), { Err: '' });
  });
});

describe('an answer', () => {
  const rows: [what: string, status: number, body: string, message: string][] = [
    ['with words of the plugin', 500, '{"Err":"disk is gone"}', 'VolumeDriver.Get: disk is gone'],
    ['with words in spite of success', 200, '{"Err":"no"}', 'VolumeDriver.Get: no'],
    ['in plain text', 404, '404 page not found\n', 'VolumeDriver.Get: 404 page not found'],
    ['without a text', 503, '', 'VolumeDriver.Get: status 503'],
    ['that is null', 200, 'null', "VolumeDriver.Get: the plugin's answer is no JSON object"],
    ['that is cut', 200, '{"Volume":', "VolumeDriver.Get: the plugin's answer is no JSON object"],
    ['with control characters', 500, '{"Err":"a\\u001b[31mb\\nc"}', 'VolumeDriver.Get: a [31mb c'],
  ];
  for (const [what, status, body, message] of rows)
    it(`${what} is told as it is meant`, async () => {
      await answering((_request, response) => response.writeHead(status).end(body));
      await assert.rejects(call(), { kind: 'internal', message });
    });

  it('with very many words is cut', async () => {
    await answering((_request, response) =>
      response.writeHead(500).end(JSON.stringify({ Err: 'x'.repeat(100_000) })),
    );
    await assert.rejects(call(), { message: `VolumeDriver.Get: ${'x'.repeat(500)} …` });
  });

  it('without an end is not taken in', async () => {
    let sent = 0;
    await answering((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 20, 32))) sent += 1;
        response.once('drain', more);
      };
      more();
    });
    await assert.rejects(call(), { message: /the plugin's answer is longer than 4194304 bytes$/ });
    assert.ok(sent < 64, `${sent} MiB were taken`);
  });
});

describe('a plugin', () => {
  it('that hangs costs no more than the time it has', async () => {
    await answering(() => undefined);
    await assert.rejects(call({}, { answerMs: 50, connectMs: 0 }), {
      kind: 'timeout',
      message: 'VolumeDriver.Get: the plugin did not answer within 0.05 s',
    });
  });

  it('that begins an answer and hangs does, too', async () => {
    await answering((_request, response) => void response.write('{"Volume":'));
    await assert.rejects(call({}, { answerMs: 50, connectMs: 0 }), { kind: 'timeout' });
  });

  it('that vanishes in the middle of a call is told, and is not asked twice', async () => {
    let connections = 0;
    await listening(
      createSocket((socket) => {
        connections += 1;
        socket.once('data', () => socket.destroy());
      }),
    );
    await assert.rejects(call({}, { answerMs: 5_000, connectMs: 5_000 }), {
      kind: 'unavailable',
      message: "VolumeDriver.Get: the plugin can't be reached (ECONNRESET)",
    });
    assert.equal(connections, 1);
  });

  it('that vanishes in the middle of its answer is told', async () => {
    await listening(
      createSocket((socket) => {
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Vol'));
      }),
    );
    await assert.rejects(call(), { kind: 'unavailable' });
  });

  it('that speaks no HTTP is told', async () => {
    await listening(createSocket((socket) => socket.end('SSH-2.0-x\r\n')));
    await assert.rejects(call(), { kind: 'unavailable', message: /can't be reached \(HPE_/ });
  });

  it('that is not there is tried for its time, and no longer', async () => {
    await assert.rejects(call(), {
      kind: 'unavailable',
      message: "VolumeDriver.Get: the plugin can't be reached (ENOENT)",
    });
    const late = call({}, { answerMs: 5_000, connectMs: 10_000 });
    await answering((_request, response) => response.end('{"late":true}'));
    assert.deepEqual(await late, { late: true });
  });
});
