import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { errnoCode, nodeHttp, WharfError } from '../../base/index.ts';
import { NetworkError } from './errors.ts';
import { networkError } from './failure.ts';
import { StallTimer } from './stall.ts';

/** What a request carries: bytes, or a stream of known length that can be begun again. */
export type WireBody = Uint8Array | { length: number; open(): AsyncIterable<Uint8Array> };

/** One HTTP request, to be sent as it is: no redirects, no retries, no authentication. */
export interface WireRequest {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: WireBody | undefined;
  agent: Agent;
  /**
   * Milliseconds without a byte in either direction after which it counts as stalled; so does an answer that in so long a
   * time of waiting for it came slower than 1 KiB a second.
   */
  stallMs: number;
  signal?: AbortSignal | undefined;
}

/** An answer whose body has not been read. One of the three ways to end it must be taken. */
export interface WireResponse {
  url: URL;
  status: number;
  headers: IncomingHttpHeaders;
  /** The body as it comes. Ending the iteration early closes the connection. Throws `unavailable` and `cancelled`. */
  body(): AsyncGenerator<Uint8Array>;
  /** The whole body when it has at most that many bytes. Errors: `invalid` when it has more. */
  bytes(max: number): Promise<Buffer>;
  /** Reads a short rest, so that the connection can be used for the next request, and closes it otherwise. Throws nothing. */
  discard(): Promise<void>;
}

/** The rest of an unread answer that is read to keep the connection, in bytes. */
const SHORT = 65_536;

/** Answers that come slower than that, in bytes per millisecond of waiting, only hold a place that others want. */
const SLOWEST = 1;

/** Sends a request and waits for the head of its answer. Errors: `unavailable` (with Docker's texts), `cancelled`. */
export function exchange(request: WireRequest): Promise<WireResponse> {
  return new Promise((resolve, reject) => {
    const { url, signal } = request;
    if (signal?.aborted) return reject(new WharfError('cancelled', 'context canceled'));
    const outgoing = open(request);
    const stall = new StallTimer(request.stallMs, () => {
      const connecting = outgoing.socket?.connecting !== false;
      outgoing.destroy(new NetworkError(connecting ? SLOW_CONNECT : SLOW_ANSWER, true));
    });
    let answer: IncomingMessage | undefined;
    const onAbort = () => (answer ?? outgoing).destroy(new WharfError('cancelled', 'context canceled'));
    signal?.addEventListener('abort', onAbort, { once: true });
    const settle = () => {
      stall.stop();
      signal?.removeEventListener('abort', onAbort);
    };
    outgoing.on('error', (thrown) => {
      if (answer) return;
      settle();
      const error = networkError(thrown, url);
      const stale = outgoing.reusedSocket && /^(ECONNRESET|EPIPE)$/.test(errnoCode(thrown) ?? '');
      reject(stale ? new NetworkError(error.message, true, thrown, true) : error);
    });
    outgoing.on('response', (incoming) => {
      answer = incoming;
      stall.pause();
      // An answer that came before the request was sent whole: its connection is good for nothing more.
      incoming.once('close', () => outgoing.writableFinished || outgoing.destroy());
      resolve(received(request, incoming, stall, settle));
    });
    // What fails here is the source of the body, not the network: no retry can help.
    send(outgoing, request.body, stall, () => answer !== undefined).catch((thrown) =>
      outgoing.destroy(WharfError.from(thrown)),
    );
  });
}

const SLOW_CONNECT =
  'net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)';
const SLOW_ANSWER = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';

function open({ method, url, headers, body, agent }: WireRequest): ClientRequest {
  const https = url.protocol === 'https:';
  const length = body === undefined ? undefined : body.length;
  const all =
    length === undefined && !/^(POST|PUT|PATCH)$/.test(method)
      ? headers
      : { ...headers, 'content-length': String(length ?? 0) };
  const { request } = https ? process.getBuiltinModule('node:https') : nodeHttp();
  return request(url, { method, headers: all, agent });
}

/** Sends the body; stops when the answer comes before its end. */
async function send(
  outgoing: ClientRequest,
  body: WireBody | undefined,
  stall: StallTimer,
  answered: () => boolean,
): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    outgoing.end(body);
    return;
  }
  let left = body.length;
  for await (const chunk of body.open()) {
    left -= chunk.length;
    if (left < 0) throw new WharfError('corrupt', 'the blob has more bytes than its descriptor says');
    if (answered() || outgoing.destroyed) return;
    stall.touch();
    if (!outgoing.write(chunk)) await writable(outgoing);
  }
  if (left > 0) throw new WharfError('corrupt', 'the blob has fewer bytes than its descriptor says');
  outgoing.end();
}

/** Resolves when there is room again, or when there never will be. */
function writable(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'close', 'response']) outgoing.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'response']) outgoing.on(event, done);
  });
}

function received(
  request: WireRequest,
  incoming: IncomingMessage,
  stall: StallTimer,
  settle: () => void,
): WireResponse {
  const { url } = request;
  let failure: unknown;
  let wake: (() => void) | undefined;
  const signalled = () => wake?.();
  const over = () => {
    settle();
    signalled();
  };
  incoming.on('error', (thrown) => {
    failure ??= thrown;
    over();
  });
  incoming.on('end', over).on('close', over);

  async function* body(): AsyncGenerator<Uint8Array> {
    stall.onStall = () => incoming.destroy(new NetworkError('read: i/o timeout', true));
    incoming.on('readable', signalled);
    let [waited, came] = [0, 0];
    try {
      for (;;) {
        const chunk = incoming.read() as Buffer | null;
        if (chunk !== null) {
          came += chunk.length;
          yield chunk;
        } else if (incoming.readableEnded && incoming.complete) {
          return;
        } else if (failure !== undefined || incoming.destroyed) {
          throw networkError(failure ?? incoming.errored ?? new Error('aborted'), url);
        } else {
          stall.touch();
          const began = performance.now();
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          stall.pause();
          waited += performance.now() - began;
          if (waited < request.stallMs) continue;
          if (came < waited * SLOWEST) stall.onStall();
          [waited, came] = [0, 0];
        }
      }
    } finally {
      settle();
      if (!incoming.readableEnded) incoming.destroy();
    }
  }
  return {
    url,
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body,
    bytes: (max) => gather(body(), max),
    discard: () =>
      new Promise((resolve) => {
        if (incoming.closed) return resolve();
        let left = SHORT;
        const close = () => incoming.destroy();
        incoming.on('close', resolve);
        if (request.method !== 'HEAD' && Number(incoming.headers['content-length'] ?? 0) > left)
          return close();
        stall.onStall = close;
        stall.touch();
        incoming.on('data', (chunk: Buffer) => {
          left -= chunk.length;
          if (left < 0) close();
        });
      }),
  };
}

async function gather(body: AsyncIterable<Uint8Array>, max: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > max) throw new WharfError('invalid', `the registry's answer has more than ${max} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}
