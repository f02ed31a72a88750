import { type Logger, WharfError } from '../../base/index.ts';
import type { SandboxRecord } from '../types.ts';
import { Forwarder } from './forwarder.ts';
import { followHostServers, type HostServers } from './host-servers.ts';
import { NameTable, namesAreServed } from './names.ts';
import { SERVER_ADDRESS } from './redirect.ts';
import { SandboxServer } from './sandbox-server.ts';
import type { NameService, NameServiceOptions } from './types.ts';

/** Makes the name service; it opens nothing before the first sandbox that needs it. */
export function openNameService(options: NameServiceOptions, log: Logger): NameService {
  return new SandboxNames(options, log);
}

class SandboxNames implements NameService {
  private readonly options: NameServiceOptions;
  private readonly log: Logger;
  private readonly table: NameTable;
  private readonly servers = new Map<string, SandboxServer>();
  /** Sandboxes that could not be served, with the reason. */
  private readonly failed = new Map<string, { containerId: string; reason: string }>();
  private readonly host: Forwarder;
  private followed: HostServers | undefined;

  constructor(options: NameServiceOptions, log: Logger) {
    this.options = options;
    this.log = log;
    this.table = new NameTable(options.network);
    this.host = new Forwarder(() => this.hostServers());
  }

  update(sandbox: SandboxRecord): void {
    const { sandboxId, containerId } = sandbox;
    this.table.update(sandbox);
    this.failed.delete(sandboxId);
    try {
      this.serve(sandbox);
    } catch (thrown) {
      const error = WharfError.from(thrown);
      this.stop(sandboxId);
      this.failed.set(sandboxId, { containerId, reason: error.message });
      throw error;
    }
  }

  remove(sandboxId: string): void {
    this.table.remove(sandboxId);
    this.failed.delete(sandboxId);
    this.stop(sandboxId);
  }

  problems(): string[] {
    const found = [...this.failed.values()].map(sentence);
    for (const server of this.servers.values()) {
      const reason = unreached(server);
      if (reason) found.push(sentence({ containerId: server.containerId, reason }));
    }
    return found;
  }

  close(): void {
    for (const sandboxId of [...this.servers.keys()]) this.stop(sandboxId);
    this.host.close();
    this.followed?.close();
    this.followed = undefined;
  }

  private serve(sandbox: SandboxRecord): void {
    const { sandboxId, netnsPath, endpoints } = sandbox;
    const there = this.servers.get(sandboxId);
    const needed = endpoints.some(({ networkId }) => namesAreServed(this.options.network(networkId)));
    if (!needed || there?.netnsPath !== netnsPath) this.stop(sandboxId);
    if (!needed) return;
    const kept = this.servers.get(sandboxId);
    kept?.listener.repair();
    const server = kept ?? new SandboxServer(sandbox, this.table, this.log);
    server.forwarder = this.forwarderFor(sandbox);
    this.servers.set(sandboxId, server);
  }

  private stop(sandboxId: string): void {
    this.servers.get(sandboxId)?.close(this.host);
    this.servers.delete(sandboxId);
  }

  /**
   * The container's own servers are asked from its namespace: they get no further than the container does itself, so it may
   * ask them even where all its networks are internal. The host's servers are for those who are on a network that leads out.
   */
  private forwarderFor({ nameServers, netnsPath, endpoints }: SandboxRecord): Forwarder | undefined {
    // Our own address would lead back to us.
    const own = nameServers?.filter((ip) => ip !== SERVER_ADDRESS) ?? [];
    if (own.length > 0) return new Forwarder(() => own, netnsPath);
    const leadsOut = endpoints.some(({ networkId }) => this.options.network(networkId)?.internal === false);
    return leadsOut ? this.host : undefined;
  }

  private hostServers(): readonly string[] {
    if (this.options.hostServers) return this.options.hostServers();
    this.followed ??= followHostServers();
    return this.followed.list();
  }
}

function sentence({ containerId, reason }: { containerId: string; reason: string }): string {
  return `the name server of container ${containerId.slice(0, 12)} does not answer: ${reason}`;
}

/** Why questions do not get to a server, or undefined when they do. */
function unreached(server: SandboxServer): string | undefined {
  try {
    if (server.listener.isReached()) return undefined;
    return `its namespace does not redirect port 53 of ${SERVER_ADDRESS} to port ${server.listener.port}`;
  } catch (thrown) {
    return WharfError.from(thrown).message;
  }
}
