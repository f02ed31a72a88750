import type { NetworkKernel } from './kernel.ts';

/** How many are kept before it is looked which are gone. */
const FEW = 64;

/** Links that were given up and that the kernel takes apart behind: nobody's, but no strays either. */
export class LeavingLinks {
  private readonly names = new Set<string>();
  private readonly kernel: Pick<NetworkKernel, 'links'>;
  private limit = FEW;

  constructor(kernel: Pick<NetworkKernel, 'links'>) {
    this.kernel = kernel;
  }

  add(name: string): void {
    this.names.add(name);
    if (this.names.size <= this.limit) return;
    const links = this.kernel.links();
    for (const known of this.names) if (!links.has(known)) this.names.delete(known);
    this.limit = Math.max(FEW, 2 * this.names.size);
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  get size(): number {
    return this.names.size;
  }
}
