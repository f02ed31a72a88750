import type { NetworkRecord, SandboxRecord } from '../types.ts';

/**
 * The embedded name server at 127.0.0.11 inside each sandbox that is on a network of a user. It answers names, aliases
 * and short ids of the containers that share a network with the asker, links, and their addresses backwards; everything
 * else goes to the container's own servers, from the container's namespace, or to the host's, from the host's. Nothing
 * goes to the host's when all of the asker's networks are internal: such questions are refused.
 */
export interface NameService {
  /**
   * Takes a sandbox's endpoints, names and links as they are now; starts answering in its namespace if it must. Repeatable:
   * what failed is tried again. Errors: those of the namespace (it is gone, it has no room); the names are known to others even so.
   */
  update(sandbox: SandboxRecord): void;
  /** The sandbox is gone, or about to be. Nothing happens when it was never there. */
  remove(sandboxId: string): void;
  /** One sentence for each sandbox that should be answered in and is not. */
  problems(): string[];
  close(): void;
}

/** What the name service asks of others. */
export interface NameServiceOptions {
  network(id: string): NetworkRecord | undefined;
  /** The host's resolvers now, loopback ones included: they are asked from the host's namespace. By default resolv.conf, followed live. */
  hostServers?(): string[];
}
