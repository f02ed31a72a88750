import type { ExecInput } from '../spec-input.ts';
import type { OciProcess } from '../spec-types.ts';
/** The process of `docker exec`. Pure. Errors: `invalid`. */
export function execProcess(_input: ExecInput): OciProcess {
  throw new Error('execProcess');
}
