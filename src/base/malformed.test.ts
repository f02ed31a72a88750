import assert from 'node:assert/strict';
import { type AddressInfo, connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { refuseMalformed } from './malformed.ts';
import { nodeHttp } from './node-http.ts';

describe('what is no HTTP', () => {
  const server = nodeHttp().createServer({ maxHeaderSize: 1024 }, (_request, response) =>
    response.end('fine'),
  );
  server.on('clientError', refuseMalformed);
  before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  after(() => server.close());

  /** All that comes back until the server hangs up. */
  async function said(text: string): Promise<string> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(text);
    let answer = '';
    for await (const piece of socket) answer += String(piece);
    return answer;
  }

  it('is told so in plain text, and hung up on', async () => {
    for (const [text, status] of [
      ['what?\r\n\r\n', '400 Bad Request'],
      [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(5000)}\r\n\r\n`, '431 Request Header Fields Too Large'],
    ] as const) {
      const answer = await said(text);
      assert.ok(answer.startsWith(`HTTP/1.1 ${status}\r\n`), answer);
      assert.ok(answer.includes('Connection: close\r\n') && answer.endsWith(`\r\n\r\n${status}`), answer);
    }
  });

  it('gets no answer when it is gone', () => {
    const calls: string[] = [];
    const socket = { writable: true, end: () => calls.push('end'), destroy: () => calls.push('destroy') };
    refuseMalformed(Object.assign(new Error('reset'), { code: 'ECONNRESET' }), socket as never);
    refuseMalformed(new Error('late'), { ...socket, writable: false } as never);
    assert.deepEqual(calls, ['destroy', 'destroy']);
  });
});
