import { WharfError } from '../../base/index.ts';
import {
  isDigest,
  parseDigest,
  parseReference,
  type Reference,
  withDefaultTag,
  withDigest,
  withTag,
} from '../../oci/index.ts';
import type { PullInput } from './types.ts';

/**
 * What a pull asks for, as Docker reads `fromImage` and `tag`: a tag or digest given apart replaces that of the name.
 * Without a tag for a pull of all tags. Errors: `invalid`, `forbidden` for the reserved name, with Docker's texts.
 */
export function pullReference(input: Pick<PullInput, 'image' | 'tag' | 'allTags'>): Reference {
  const named = parseReference(input.image);
  const reference = tagged(named, input.tag);
  if (reference.familiarName === 'scratch') throw new WharfError('forbidden', "'scratch' is a reserved name");
  if (input.allTags && reference.tag === undefined && reference.digest === undefined) return reference;
  return withDefaultTag(reference);
}

function tagged(named: Reference, tag: string): Reference {
  if (tag === '') return named;
  return isDigest(tag) ? withDigest(named, parseDigest(tag)) : withTag(named, tag);
}

/** What the registry is asked for: the digest rather than the tag. */
export function wanted(reference: Reference): string {
  return reference.digest ?? reference.tag ?? 'latest';
}

/** The canonical name that an image gets by the reference: by digest alone, when it has one. */
export function nameFor(reference: Reference): string {
  return reference.digest ? `${reference.name}@${reference.digest}` : `${reference.name}:${reference.tag}`;
}
