import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import type { Terminal } from './command.ts';
import { main } from './main.ts';

/** How the pretended engine answers a request; `break` ends the connection, once its text was sent. */
export type Answer = (
  request: http.IncomingMessage,
  body: string,
  raw: Buffer,
) => {
  status?: number;
  json?: unknown;
  text?: string;
  bytes?: Uint8Array;
  headers?: Readonly<Record<string, string>>;
  break?: boolean;
};

/** What the command sees of a terminal. */
export interface Screen {
  /** Whether standard input and the outputs are a terminal. */
  tty?: boolean;
  /** Its width. */
  columns?: number;
  /** What is typed or piped; each part once the command asks for more. */
  input?: readonly string[];
}

/** Runs a command line in tests, against an engine that answers by function. */
export async function runAgainst(
  args: string[],
  answer: Answer,
  env: Readonly<Record<string, string>> = {},
  screen: Screen = {},
): Promise<{ code: number; out: string; err: string; asked: string[]; raw: boolean[] }> {
  const asked: string[] = [];
  let shown = '';
  const server = http.createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const raw = Buffer.concat(parts);
    asked.push(`${request.method} ${request.url}`);
    const { status = 200, json, text, bytes, headers, break: broken } = answer(request, raw.toString(), raw);
    if (broken) {
      if (text === undefined) return void request.socket.destroy();
      response.writeHead(status, { 'Content-Length': '1000' });
      return void response.write(text, () => request.socket.destroy());
    }
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(bytes ?? text ?? (json === undefined ? '' : JSON.stringify(json)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const raw: boolean[] = [];
  const parts = [...(screen.input ?? [])];
  if (screen.tty) {
    Object.assign(stdin, { isTTY: true, setRawMode: (on: boolean) => raw.push(on) });
    for (const stream of [stdout, stderr])
      Object.assign(stream, { isTTY: true, columns: screen.columns ?? 80 });
    // A terminal does not end; each question, which ends in a blank, gets the next part.
    stdout.on('data', (data: Buffer) => {
      shown += data;
      if (/: $/.test(String(data)) && parts.length > 0) stdin.write(parts.shift());
    });
  } else stdin.end(parts.join(''));
  try {
    const { port } = server.address() as AddressInfo;
    const terminal = { stdin, stdout, stderr } as unknown as Terminal;
    const code = await main(args, terminal, {
      WHARF_HOST: `tcp://127.0.0.1:${port}`,
      DOCKER_CONFIG: '/nonexistent',
      ...env,
    });
    const read = (stream: PassThrough) => String(stream.read() ?? '');
    return { code, out: shown + read(stdout), err: read(stderr), asked, raw };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
