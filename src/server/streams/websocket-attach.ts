import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WharfError } from '../../base/index.ts';
import type { StdioSession } from '../backend/index.ts';
import type { Call } from '../http/call.ts';
import { pumpSession } from './stdio-pump.ts';

/** Messages from a client are keystrokes; larger ones are refused. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** Carries a session over a WebSocket (RFC 6455): binary messages, both output streams as one. */
export async function pumpWebSocket(call: Call, session: StdioSession): Promise<void> {
  const { upgrade, request, response } = call;
  if (!upgrade) {
    session.close();
    throw new WharfError('invalid', 'a WebSocket handshake is needed: Upgrade is not websocket');
  }
  // Loaded by the first use: few clients attach so.
  const { WebSocketServer, createWebSocketStream } = await import('ws');
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  response.detachSocket(request.socket);
  const { promise, resolve } = Promise.withResolvers<WebSocket | undefined>();
  upgrade.once('close', () => {
    call.abort();
    resolve(undefined);
  });
  server.handleUpgrade(request, upgrade, Buffer.alloc(0), resolve);
  const socket = await promise;
  if (!socket) {
    session.close();
    return;
  }
  const stream: Duplex = createWebSocketStream(socket);
  await pumpSession(stream, session, false);
}
