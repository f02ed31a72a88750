import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, newId, shortId } from '../base/index.ts';
import { ReadySandboxes } from './drivers/ready-sandboxes.ts';
import type { NamespaceKernel } from './kernel.ts';

/** A namespace with a loopback only, not yet anybody's. */
export interface OpenNamespace {
  sandboxId: string;
  netnsPath: string;
}

/** The namespaces of sandboxes, pinned in one directory; a few are made ahead. */
export class Namespaces {
  private readonly kernel: NamespaceKernel;
  private readonly dir: string;
  private readonly ready: ReadySandboxes<OpenNamespace>;

  constructor(options: { kernel: NamespaceKernel; dir: string; target: number; log: Logger }) {
    const { kernel, dir, target, log } = options;
    this.kernel = kernel;
    this.dir = dir;
    const drop = ({ netnsPath }: OpenNamespace) => kernel.drop(netnsPath);
    this.ready = new ReadySandboxes({ target, make: () => this.make(), drop, log });
  }

  take(): OpenNamespace {
    return this.ready.take();
  }

  /** Makes one now: for what is made ahead itself, which shall not drain what is ready. */
  make(): OpenNamespace {
    const sandboxId = newId();
    const netnsPath = join(this.dir, shortId(sandboxId));
    this.kernel.create(netnsPath);
    return { sandboxId, netnsPath };
  }

  /** Nothing happens to the host's own. */
  drop(netnsPath: string): void {
    if (netnsPath !== this.hostPath) this.kernel.drop(netnsPath);
  }

  /** The host's own namespace, pinned once for all as `default`. */
  host(): OpenNamespace {
    if (!this.kernel.isPinned(this.hostPath)) this.kernel.pinHost(this.hostPath);
    return { sandboxId: newId(), netnsPath: this.hostPath };
  }

  isHost(netnsPath: string): boolean {
    return netnsPath === this.hostPath;
  }

  /** Starts making namespaces ahead. */
  warmUp(): void {
    this.ready.refillSoon();
  }

  /** All paths in the directory that `known` has not, and that are not kept here. */
  strays(known: ReadonlySet<string>): string[] {
    const own = new Set([this.hostPath, ...this.ready.ready().map(({ netnsPath }) => netnsPath)]);
    return entries(this.dir)
      .map((name) => join(this.dir, name))
      .filter((path) => !known.has(path) && !own.has(path));
  }

  /** Drops what is only kept ready; the host's pin, too, when no sandbox needs it. */
  close(last: boolean): void {
    this.ready.close();
    if (last) this.kernel.drop(this.hostPath);
  }

  private get hostPath(): string {
    return join(this.dir, 'default');
  }
}

function entries(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
