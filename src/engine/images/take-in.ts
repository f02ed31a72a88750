import type { Lease } from '../../content/index.ts';
import { type SweepDeps, sweepAmong } from './sweep.ts';

/**
 * Runs `work`, which brings in blobs and layers that no image names yet; what it leases is safe from sweeps until it ends.
 * What it brought in and left unneeded, most of all when it fails, is swept then.
 */
export async function takeIn<T>(deps: SweepDeps, work: (lease: Lease) => Promise<T>): Promise<T> {
  const lease = deps.leases.open();
  try {
    return await work(lease);
  } finally {
    const keys = lease.keys();
    lease[Symbol.dispose]();
    await sweepAmong(deps, keys);
  }
}
