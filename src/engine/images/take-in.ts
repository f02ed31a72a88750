import { type SweepDeps, sweepContent } from './sweep.ts';
import type { SweepGate } from './sweep-gate.ts';

/**
 * Runs `work`, which brings in blobs and layers that no image names yet, safe from sweeps. What it leaves when it fails
 * is swept.
 */
export async function takeIn<T>(deps: SweepDeps & { gate: SweepGate }, work: () => Promise<T>): Promise<T> {
  try {
    return await deps.gate.hold(work);
  } catch (thrown) {
    await deps.gate.sweep(() => sweepContent(deps));
    throw thrown;
  }
}
