/**
 * What work in progress needs though no record names it yet: digests of blobs, chainIDs and keys of snapshots. A sweep
 * passes over whatever is leased. Take the lease before looking whether a thing is there; give it back after its record
 * is written. Check and removal happen in one turn of the event loop, so nothing is removed under a holder.
 */
export class Leases {
  private readonly holders = new Map<string, number>();

  /** An empty lease; add to it, dispose of it. */
  open(): Lease {
    return new Lease(this.holders);
  }

  /** True while any lease has this key. */
  has(key: string): boolean {
    return this.holders.has(key);
  }
}

/** Keys held by one piece of work, all given back at once. */
export class Lease implements Disposable {
  private readonly holders: Map<string, number>;
  private readonly keysHeld = new Set<string>();

  constructor(holders: Map<string, number>) {
    this.holders = holders;
  }

  add(...keys: string[]): void {
    for (const key of keys) {
      if (this.keysHeld.has(key)) continue;
      this.keysHeld.add(key);
      this.holders.set(key, (this.holders.get(key) ?? 0) + 1);
    }
  }

  /** What it holds now. */
  keys(): string[] {
    return [...this.keysHeld];
  }

  [Symbol.dispose](): void {
    for (const key of this.keysHeld) {
      const left = (this.holders.get(key) ?? 1) - 1;
      if (left > 0) this.holders.set(key, left);
      else this.holders.delete(key);
    }
    this.keysHeld.clear();
  }
}
