import { type MemoryRegistry, memoryRegistry } from '../../../src/registry/client/testing/memory-registry.ts';
import { type Handler, type Served, serve } from '../../../src/registry/client/testing/serve.ts';
import type { OciImage } from './oci-image.ts';
import type { RegistryLab } from './registry-lab.ts';

export interface SiteOptions {
  /** Names in its certificate as openssl takes them; its own by default. `false`: plain HTTP. */
  tls?: { cert: string; key: string } | false;
  /** Asks clients for a certificate of the lab's authority. */
  clientCerts?: boolean;
  /** Answers in place of the registry, which it may call. */
  handler?: (memory: MemoryRegistry) => Handler;
}

/** A registry in memory that is reached by a name of the lab. */
export class RegistrySite implements AsyncDisposable {
  /** `NAME:PORT`, as in the names of images. */
  readonly host: string;
  readonly memory: MemoryRegistry;
  readonly served: Served;

  private constructor(host: string, memory: MemoryRegistry, served: Served) {
    this.host = host;
    this.memory = memory;
    this.served = served;
  }

  /** Opens one; with TLS its certificate is the lab authority's, which no client trusts yet. */
  static async open(
    lab: RegistryLab,
    name: string,
    options: SiteOptions = {},
    port = 5000,
  ): Promise<RegistrySite> {
    const memory = memoryRegistry();
    const tls = options.tls ?? lab.authority.issue(`DNS:${name}`);
    const ca = options.clientCerts ? { ca: lab.authority.cert, clientCerts: true } : {};
    const served = await serve(
      options.handler?.(memory) ?? memory.handler,
      tls ? { tls: { ...tls, ...ca } } : {},
    );
    await lab.route(name, port, served.port);
    return new RegistrySite(port === 443 ? name : `${name}:${port}`, memory, served);
  }

  /** Requests so far, `GET /v2/…`. */
  get asked(): string[] {
    return this.served.seen.map(({ method, url }) => `${method} ${url}`);
  }

  /** Gives it an image. */
  store(path: string, image: OciImage, tag: string): void {
    for (const { bytes } of [...image.layers, image.config]) this.memory.addBlob(path, bytes);
    this.memory.put(path, tag, image.manifest.bytes, image.manifest.mediaType);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.served[Symbol.asyncDispose]();
  }
}
