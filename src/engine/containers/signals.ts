import type { ContainerConfig } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { signalNumber } from '../../sys/index.ts';

const HIGHEST = 64;

/** The signal of a request: a name with or without SIG, or a number. Errors: `invalid` with Docker's texts. */
export function parseSignal(text: string): number {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number === 0) throw new WharfError('invalid', `invalid signal: ${text}`);
    if (number > HIGHEST)
      throw new WharfError('invalid', `the linux daemon does not support signal ${number}`);
    return number;
  }
  const known = signalNumber(text.toUpperCase());
  if (known === undefined) throw new WharfError('invalid', `invalid signal: ${text}`);
  return known;
}

export const SIGKILL = 9;
const SIGTERM = 15;

/** The signal that ends a container by its config. What an image says may mean nothing here: then, as in Docker, it is SIGTERM. */
export function stopSignalOf({ StopSignal: text }: Pick<ContainerConfig, 'StopSignal'>): number {
  if (!text) return SIGTERM;
  try {
    return parseSignal(text);
  } catch {
    return SIGTERM;
  }
}
