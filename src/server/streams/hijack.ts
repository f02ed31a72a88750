import type { Duplex } from 'node:stream';
import type { Call } from '../http/call.ts';

/**
 * Takes the connection away from HTTP and answers the head: `101 UPGRADED` when the client asked to upgrade, else `200 OK`
 * as old clients expect. Everything after it belongs to the caller, who must end or destroy the connection.
 */
export function hijack(call: Call, contentType: string): Duplex {
  const { upgrade, response, request } = call;
  const headers = call.context.baseHeaders;
  let head = upgrade
    ? `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${contentType}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n`
    : `HTTP/1.1 200 OK\r\nContent-Type: ${contentType}\r\n`;
  for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
  const connection = upgrade ?? request.socket;
  if (!connection.destroyed) response.detachSocket(request.socket);
  if (!upgrade) leaveParser(connection);
  connection.once('close', () => call.abort());
  connection.write(`${head}\r\n`);
  return connection;
}

/** Without an upgrade, Node's parser still listens; it must not take the client's input for requests. Who counts connections stays. */
function leaveParser(connection: Duplex): void {
  for (const event of ['data', 'end', 'drain', 'error']) connection.removeAllListeners(event);
}
