import { createHash } from 'node:crypto';
import { WharfError } from '../base/index.ts';
import type { Digest } from './types.ts';

const STRICT = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
const HEX_LENGTH: Record<string, number> = { sha256: 64, sha512: 128 };

/** True for a whole, canonical digest and nothing else: no upper case, no other algorithm, nothing before or after it. */
export function isDigest(text: unknown): text is Digest {
  // `$` without the m flag still matches only the very end in JavaScript, so a trailing newline is refused, too.
  return typeof text === 'string' && text.length <= 135 && STRICT.test(text);
}

/** The text as a digest. Errors: `invalid`, with the texts of Docker's digest parser. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const [, algorithm, hex] = /^([A-Za-z0-9_+.-]+):([A-Za-z0-9=_-]+)$/.exec(text.slice(0, 1024)) ?? [];
  if (algorithm === undefined || hex === undefined)
    throw new WharfError('invalid', 'invalid checksum digest format');
  const length = Object.hasOwn(HEX_LENGTH, algorithm) ? HEX_LENGTH[algorithm] : undefined;
  if (length === undefined) throw new WharfError('invalid', 'unsupported digest algorithm');
  if (hex.length !== length) throw new WharfError('invalid', 'invalid checksum digest length');
  throw new WharfError('invalid', 'invalid checksum digest format');
}

/** The SHA-256 digest of the bytes. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** The algorithm and the hex digits of a digest, which are safe as file names. */
export function splitDigest(digest: Digest): { algorithm: 'sha256' | 'sha512'; hex: string } {
  const colon = digest.indexOf(':');
  return { algorithm: digest.slice(0, colon) as 'sha256' | 'sha512', hex: digest.slice(colon + 1) };
}

/**
 * The chainID of every layer, lowest first (image-spec `config.md`, "Layer ChainID"): the first is its diffID, each next
 * one the digest of "<chainID below> <diffID>".
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  let below: Digest | undefined;
  for (const diffId of diffIds) {
    below = below === undefined ? diffId : digestOf(`${below} ${diffId}`);
    chain.push(below);
  }
  return chain;
}
