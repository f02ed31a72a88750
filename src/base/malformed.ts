import type { Duplex } from 'node:stream';
import { errnoCode } from './errors.ts';

/** What Node's HTTP parser refused (`clientError`): answered in plain text, as there is no request to answer. */
export function refuseMalformed(error: Error, socket: Duplex): void {
  const code = errnoCode(error);
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  let status = '400 Bad Request';
  if (code === 'HPE_HEADER_OVERFLOW') status = '431 Request Header Fields Too Large';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') status = '408 Request Timeout';
  const head = `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n`;
  socket.end(head + status, () => socket.destroy());
}
