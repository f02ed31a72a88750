import { mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';

type Answer = Record<string, unknown>;
type Body = { Name?: string; ID?: string; Opts?: Record<string, string> | null };

export interface SamplePlugin extends AsyncDisposable {
  /** Each call: method, name and id. */
  calls: string[];
  volumes: Map<string, { options: Record<string, string>; users: Set<string> }>;
  /** What calls are answered with instead of what is right; `hang` never answers. */
  faults: Map<string, 'hang' | { status?: number; text: string }>;
}

/** A small volume plugin (Docker's protocol v1): directories below `root`, on a socket of its own. */
export async function startSamplePlugin(socketPath: string, root: string): Promise<SamplePlugin> {
  const volumes: SamplePlugin['volumes'] = new Map();
  const calls: string[] = [];
  const faults: SamplePlugin['faults'] = new Map();
  const at = (name: string) => join(root, name);
  const shown = (name: string) => ({ Name: name, Mountpoint: at(name), Status: { sample: true } });
  const known = (name: string, answer: () => Answer): Answer =>
    volumes.has(name) ? answer() : { Err: `no volume ${name}` };
  const methods: Record<string, (name: string, body: Body) => Answer> = {
    'Plugin.Activate': () => ({ Implements: ['VolumeDriver'] }),
    'VolumeDriver.Capabilities': () => ({ Capabilities: { Scope: 'global' } }),
    'VolumeDriver.List': () => ({ Volumes: [...volumes.keys()].map(shown) }),
    'VolumeDriver.Get': (name) => known(name, () => ({ Volume: shown(name) })),
    'VolumeDriver.Path': (name) => known(name, () => ({ Mountpoint: at(name) })),
    'VolumeDriver.Create': (name, { Opts }) => {
      if (Opts?.['refuse']) return { Err: `refused: ${Opts['refuse']}` };
      mkdirSync(at(name), { recursive: true });
      volumes.set(name, { options: Opts ?? {}, users: new Set() });
      return { Err: '' };
    },
    'VolumeDriver.Remove': (name) =>
      known(name, () => {
        rmSync(at(name), { recursive: true, force: true });
        volumes.delete(name);
        return {};
      }),
    'VolumeDriver.Mount': (name, { ID = '' }) =>
      known(name, () => {
        volumes.get(name)?.users.add(ID);
        return { Mountpoint: at(name) };
      }),
    'VolumeDriver.Unmount': (name, { ID = '' }) =>
      known(name, () => {
        volumes.get(name)?.users.delete(ID);
        return {};
      }),
  };
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const text = Buffer.concat(parts).toString();
    const body = (text ? JSON.parse(text) : {}) as Body;
    const method = (request.url ?? '').slice(1);
    calls.push([method, body.Name, body.ID].filter(Boolean).join(' '));
    const fault = faults.get(method);
    if (fault === 'hang') return;
    if (fault) return void response.writeHead(fault.status ?? 200).end(fault.text);
    const answer = methods[method]?.(body.Name ?? '', body) ?? { Err: `no method ${method}` };
    response.writeHead(answer['Err'] ? 500 : 200).end(JSON.stringify(answer));
  };
  mkdirSync(dirname(socketPath), { recursive: true });
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => {
    server.listen(socketPath, resolve);
  });
  return {
    calls,
    volumes,
    faults,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
