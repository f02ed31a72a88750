import { Readable } from 'node:stream';
import { WharfError } from '../../base/index.ts';
import type { OutputChunk, StdioSession } from '../backend/index.ts';
import type { Backends } from '../backends.ts';

/** A session whose process is the test: it pushes output, and reads what the client sent. */
export class FakeSession implements StdioSession {
  readonly tty: boolean;
  readonly detachKeys = Buffer.from([0x10, 0x11]);
  readonly received: Buffer[] = [];
  inputEnded = false;
  detached = false;
  closed = false;
  /** Called with each piece of input; waiting in it holds the client back. */
  onInput: (data: Buffer) => void | Promise<void> = () => undefined;
  onEnd: () => void = () => undefined;
  readonly input: StdioSession['input'];
  private readonly queue: OutputChunk[] = [];
  private over = false;
  private wake: () => void = () => undefined;

  constructor(tty: boolean) {
    this.tty = tty;
    this.input = {
      write: async (data) => {
        const copy = Buffer.from(data);
        this.received.push(copy);
        await this.onInput(copy);
      },
      end: () => {
        this.inputEnded = true;
        this.onEnd();
      },
    };
  }

  get output(): AsyncIterable<OutputChunk> {
    return this.read();
  }

  push(stream: 'stdout' | 'stderr', data: string | Buffer): void {
    this.queue.push({ stream, data: Buffer.from(data) });
    this.wake();
  }

  finish(): void {
    this.over = true;
    this.wake();
  }

  detach(): void {
    this.detached = true;
    this.finish();
  }

  close(): void {
    this.closed = true;
    this.finish();
  }

  private async *read(): AsyncGenerator<OutputChunk> {
    for (;;) {
      const next = this.queue.shift();
      if (next) yield next;
      else if (this.over) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

const unused = async (): Promise<never> => {
  throw new WharfError('not-implemented', 'this fake does not do that');
};

/** Replaces single operations of the fake backends. */
export type FakeOverrides = { [Area in keyof Backends]?: Partial<Backends[Area]> };

/** Backends that know nothing: lists are empty, every object is missing. Tests override what they look at. */
export function fakeBackends(overrides: FakeOverrides = {}): Backends {
  const missing = async (ref: string): Promise<never> => {
    throw new WharfError('not-found', `No such container: ${ref}`);
  };
  return {
    containers: {
      create: async () => ({ id: 'a'.repeat(64), warnings: [] }),
      list: async () => [],
      inspect: missing,
      start: missing,
      stop: missing,
      restart: missing,
      kill: missing,
      pause: missing,
      unpause: missing,
      wait: missing,
      remove: missing,
      rename: missing,
      update: missing,
      resize: missing,
      attach: missing,
      logs: missing,
      top: missing,
      stats: missing,
      changes: async () => [],
      prune: async () => ({ deleted: [], spaceReclaimed: 0 }),
      ...overrides.containers,
    },
    commits: { commit: unused, export: missing, ...overrides.commits },
    copies: {
      stat: missing,
      get: missing,
      put: missing,
      async *putFromHost() {},
      async *getToHost() {},
      ...overrides.copies,
    },
    execs: {
      create: async () => ({ id: 'e'.repeat(64) }),
      start: unused,
      inspect: unused,
      resize: unused,
      ...overrides.execs,
    },
    images: {
      list: async () => [],
      inspect: unused,
      history: async () => [],
      tag: async () => undefined,
      remove: async () => [],
      prune: async () => ({ deleted: [], spaceReclaimed: 0 }),
      async *load() {},
      async *import() {},
      save: async () => Readable.from([]),
      async *pull() {},
      async *push() {},
      distribution: unused,
      search: async () => [],
      async *bootstrap() {},
      ...overrides.images,
    },
    volumes: {
      list: async () => ({ Volumes: [], Warnings: [] }),
      create: async (options) => ({ Name: options.Name ?? 'anonymous' }),
      inspect: unused,
      inspectUsage: unused,
      remove: async () => undefined,
      prune: async () => ({ VolumesDeleted: [], SpaceReclaimed: 0 }),
      ...overrides.volumes,
    },
    networks: {
      list: async () => [],
      inspect: unused,
      create: unused,
      remove: unused,
      prune: async () => ({ deleted: [] }),
      connect: async () => undefined,
      disconnect: async () => undefined,
      renumber: unused,
      exposure: async () => [],
      ...overrides.networks,
    },
    system: {
      ping: () => ({
        apiVersion: '1.51',
        osType: 'linux',
        builderVersion: '2',
        experimental: false,
        swarm: 'inactive',
      }),
      version: () => ({
        Version: '0.1.0',
        ApiVersion: '1.51',
        MinAPIVersion: '1.24',
        Os: 'linux',
        Arch: 'amd64',
      }),
      info: async () => ({ ID: 'fake' }),
      async *events() {},
      diskUsage: async () => ({}),
      pruneBuildCache: async () => ({ deleted: [], spaceReclaimed: 0 }),
      auth: async () => ({ Status: 'Login Succeeded', IdentityToken: '' }),
      verify: async () => ({ ok: true, findings: [] }),
      ...overrides.system,
    },
    plans: {
      prune: async () => ({ Items: [], Bytes: 0 }),
      remove: async () => ({ Items: [], Bytes: 0 }),
      ...overrides.plans,
    },
  };
}
