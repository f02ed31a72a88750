import { Agent, type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';

/** The steps of a `run --rm`, as the stock client makes them, each in milliseconds. */
export const STEPS = ['create', 'attach', 'wait: headers', 'start', 'exit', 'removed', 'total'] as const;
export type Step = (typeof STEPS)[number];

interface Opened {
  response: IncomingMessage;
  socket: Duplex | undefined;
}

/** One engine's API over its Unix socket, for timing. */
export class TimedApi {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(host: string) {
    this.#socketPath = host.replace(/^unix:\/\//, '');
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(method: string, path: string, body?: unknown, upgrade = false): Promise<Opened> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers: Record<string, string | number> = upgrade
      ? { Connection: 'Upgrade', Upgrade: 'tcp' }
      : { 'Content-Length': Buffer.byteLength(text) };
    if (text) headers['Content-Type'] = 'application/json';
    return new Promise((resolve, reject) => {
      const agent = upgrade ? false : this.#agent;
      const outgoing = request({ socketPath: this.#socketPath, method, path, headers, agent });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => resolve({ response, socket: undefined }));
      outgoing.on('upgrade', (response, socket) => resolve({ response, socket }));
      outgoing.end(text);
    });
  }

  async #call(method: string, path: string, body?: unknown): Promise<string> {
    const { response } = await this.#open(method, path, body);
    return readAll(response);
  }

  /** One run of `true`, step by step. `start` ends with its answer, `exit` with the end of the output after that. */
  async run(label: string, networkMode: string): Promise<Record<Step, number>> {
    const begin = performance.now();
    const times = {} as Record<Step, number>;
    let last = begin;
    const lap = (step: Step) => {
      const now = performance.now();
      times[step] = now - last;
      last = now;
    };
    const document = {
      Image: 'busybox',
      Cmd: ['true'],
      AttachStdout: true,
      AttachStderr: true,
      Labels: { 'wharf-bench': label },
      HostConfig: { AutoRemove: true, NetworkMode: networkMode },
    };
    const { Id } = JSON.parse(await this.#call('POST', '/v1.47/containers/create', document)) as {
      Id: string;
    };
    lap('create');
    const attached = await this.#open(
      'POST',
      `/v1.47/containers/${Id}/attach?stream=1&stdout=1&stderr=1`,
      undefined,
      true,
    );
    lap('attach');
    const waiting = await this.#open('POST', `/v1.47/containers/${Id}/wait?condition=removed`);
    lap('wait: headers');
    const output = attached.socket ?? attached.response;
    const ended = new Promise((resolve) => output.on('end', resolve).on('close', resolve).resume());
    await this.#call('POST', `/v1.47/containers/${Id}/start`);
    lap('start');
    await ended;
    lap('exit');
    await readAll(waiting.response);
    lap('removed');
    attached.socket?.destroy();
    times.total = performance.now() - begin;
    return times;
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  if ((response.statusCode ?? 500) >= 400) throw new Error(`${response.statusCode}: ${text}`);
  return text;
}
