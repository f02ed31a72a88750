import type { Logger } from '../base/index.ts';
import { ReadySandboxes } from './drivers/ready-sandboxes.ts';
import { closeEndpoint, openEndpoint } from './endpoints.ts';
import type { OpenNamespace } from './namespaces.ts';
import { defaultNetwork, type StackParts } from './parts.ts';
import { moveRoutes } from './routes.ts';
import type { EndpointRecord, EndpointRequest } from './types.ts';

/** A namespace with its place on the default bridge, not yet anybody's. */
export interface PreparedSandbox extends OpenNamespace {
  endpoint: EndpointRecord;
}

/** Sandboxes on the default bridge, made ahead: nearly every container wants just one of them. */
export class PreparedSandboxes {
  private readonly parts: StackParts;
  private readonly ready: ReadySandboxes<PreparedSandbox>;

  constructor(parts: StackParts, target: number, log: Logger) {
    this.parts = parts;
    const drop = (prepared: PreparedSandbox) => this.drop(prepared);
    this.ready = new ReadySandboxes({ target, make: () => this.make(), drop, log });
  }

  /** True when the request asks for nothing but a place on the default bridge, and perhaps a hardware address. */
  fits(request: EndpointRequest): boolean {
    const { ipv4, ipv6, linkLocal, driverOptions } = request;
    return !ipv4 && !ipv6 && !linkLocal?.length && Object.keys(driverOptions ?? {}).length === 0;
  }

  take(): PreparedSandbox {
    return this.ready.take();
  }

  /** Takes back an unused one that is still as it was made. */
  putBack(prepared: PreparedSandbox): void {
    this.ready.putBack(prepared);
  }

  pins(): string[] {
    return this.ready.ready().map(({ netnsPath }) => netnsPath);
  }

  links(): string[] {
    return this.ready.ready().map(({ endpoint }) => endpoint.hostInterface);
  }

  warmUp(): void {
    this.ready.refillSoon();
  }

  /** Makes all anew. */
  flush(): void {
    this.ready.flush();
  }

  close(): void {
    this.ready.close();
  }

  drop({ netnsPath, endpoint }: PreparedSandbox): void {
    this.parts.namespaces.drop(netnsPath);
    closeEndpoint(this.parts, endpoint);
  }

  private make(): PreparedSandbox {
    const { parts } = this;
    const network = defaultNetwork(parts);
    const opened = parts.namespaces.make();
    try {
      const endpoint = openEndpoint(parts, { network: network.name }, opened, []);
      moveRoutes(parts, opened.netnsPath, [], [endpoint]);
      return { ...opened, endpoint };
    } catch (thrown) {
      parts.namespaces.drop(opened.netnsPath);
      throw thrown;
    }
  }
}
