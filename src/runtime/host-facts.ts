import type { HostFacts } from './spec-input.ts';
/** Reads the host's abilities; call once at start, the answer does not change. */
export function hostFacts(): HostFacts {
  throw new Error('hostFacts');
}
