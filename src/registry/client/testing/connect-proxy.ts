import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { nodeHttp } from '../../../base/index.ts';
import { type Served, serve } from './serve.ts';

/** A proxy for tests that sends every connection to where a map says, whatever the name. */
export interface ConnectProxy extends AsyncDisposable {
  url: string;
  /** `CONNECT name:port` and `GET http://…`, in order. */
  asked: string[];
  /** Proxy-Authorization of each, `-` for none. */
  logins: string[];
}

/** Opens a proxy. `routes` gives the loopback port behind `name:port`; others are refused by 502. */
export async function openConnectProxy(routes: Record<string, number>): Promise<ConnectProxy> {
  const asked: string[] = [];
  const logins: string[] = [];
  const note = (text: string, login: string | undefined) => {
    asked.push(text);
    logins.push(login ?? '-');
  };
  const server: Served = await serve((request, response) => {
    const url = new URL(request.url ?? '', 'http://none');
    note(`${request.method} ${url.href}`, request.headers['proxy-authorization']);
    const port = routes[url.port ? url.host : `${url.host}:80`];
    if (port === undefined) return response.writeHead(502).end();
    const { method, headers } = request;
    const onward = nodeHttp().request(
      { host: '127.0.0.1', port, method, headers, path: url.pathname + url.search },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    return request.pipe(onward);
  });
  const tunnels = new Set<Duplex>();
  server.onConnect((request, socket) => {
    note(`CONNECT ${request.url}`, request.headers['proxy-authorization']);
    const port = routes[request.url ?? ''];
    if (port === undefined) return socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n');
    const onward: Socket = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    for (const end of [socket, onward]) {
      tunnels.add(end);
      end.on('error', () => undefined);
    }
    return undefined;
  });
  return {
    url: server.origin,
    asked,
    logins,
    async [Symbol.asyncDispose]() {
      for (const tunnel of tunnels) tunnel.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}
