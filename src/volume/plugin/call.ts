import type { IncomingMessage, RequestOptions } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { errnoCode, nodeHttp, WharfError } from '../../base/index.ts';
import type { PluginAddress } from './discover.ts';

/** What a plugin may cost: it is another program, and may hang or pour out whatever it likes. */
export interface CallLimits {
  /** A call that is not answered in whole by then has failed. Milliseconds. */
  answerMs: number;
  /** For so long the connection is tried again while nobody listens: plugins are restarted, too. Milliseconds. */
  connectMs: number;
}

const TYPE = 'application/vnd.docker.plugins.v1.2+json';
const MAX_ANSWER_BYTES = 4 << 20;
const FIRST_PAUSE_MS = 50;
const NOBODY_LISTENS = new Set(['ECONNREFUSED', 'ENOENT']);

/**
 * One call of Docker's plugin protocol (POST, JSON both ways); the answer's fields. A call is sent again only when it
 * can't have arrived. Errors: `unavailable` unreachable, `timeout`, `internal` with the plugin's words or how it broke
 * the protocol; texts begin with the method, as Docker's.
 */
export async function callPlugin(
  address: PluginAddress,
  method: string,
  body: unknown,
  limits: CallLimits,
): Promise<Record<string, unknown>> {
  const started = performance.now();
  for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
    try {
      const { status, text } = await send(address, method, body, limits.answerMs);
      return readAnswer(method, status, text);
    } catch (thrown) {
      const code = errnoCode(thrown);
      if (code === undefined) throw thrown;
      const over = performance.now() - started + pause > limits.connectMs;
      if (over || !NOBODY_LISTENS.has(code)) {
        throw new WharfError('unavailable', `${method}: the plugin can't be reached (${code})`, {
          cause: thrown,
        });
      }
      await wait(pause);
    }
  }
}

function send(
  address: PluginAddress,
  method: string,
  body: unknown,
  answerMs: number,
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(`${JSON.stringify(body)}\n`);
  const options: RequestOptions = {
    method: 'POST',
    path: `/${method}`,
    agent: false,
    headers: { host: 'plugin.moby.localhost', accept: TYPE, 'content-length': bytes.length },
    ...('socketPath' in address
      ? { socketPath: address.socketPath }
      : { host: address.host, port: address.port }),
  };
  const read = (response: IncomingMessage) =>
    collect(method, response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
  const request =
    'tls' in address && address.tls
      ? process
          .getBuiltinModule('node:https')
          .request({ ...options, ...address.tls, rejectUnauthorized: !address.tls.insecure }, read)
      : nodeHttp().request(options, read);
  const timer = setTimeout(() => {
    reject(new WharfError('timeout', `${method}: the plugin did not answer within ${answerMs / 1000} s`));
    request.destroy();
  }, answerMs);
  request.on('error', reject);
  request.end(bytes);
  return promise.finally(() => clearTimeout(timer));
}

async function collect(method: string, response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES) {
      response.destroy();
      throw new WharfError(
        'internal',
        `${method}: the plugin's answer is longer than ${MAX_ANSWER_BYTES} bytes`,
      );
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function readAnswer(method: string, status: number, text: string): Record<string, unknown> {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    // Some plugins answer errors as plain text.
  }
  const fields =
    typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : undefined;
  const fault = typeof fields?.['Err'] === 'string' ? fields['Err'] : '';
  if (fault !== '') throw new WharfError('internal', `${method}: ${shown(fault)}`);
  if (status !== 200)
    throw new WharfError('internal', `${method}: ${shown(text.trim()) || `status ${status}`}`);
  if (!fields) throw new WharfError('internal', `${method}: the plugin's answer is no JSON object`);
  return fields;
}

/** A plugin's words in an error: of bearable length, without control characters. */
function shown(text: string): string {
  const clean = text.replace(/\p{Cc}+/gu, ' ');
  return clean.length > 500 ? `${clean.slice(0, 500)} …` : clean;
}
