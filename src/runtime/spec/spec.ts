import type { SpecInput } from '../spec-input.ts';
import type { OciSpec } from '../spec-types.ts';
/** The OCI spec of a container. Pure: asks the host only through `input.host`. Errors: `invalid`, `conflict` with Docker's texts. */
export function assembleSpec(_input: SpecInput): OciSpec {
  throw new Error('assembleSpec');
}
