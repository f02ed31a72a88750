import { WharfError } from '../../base/index.ts';
import { isDigest } from '../../oci/index.ts';

// distribution-spec, "Pulling manifests": the grammar of names and tags.
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** True for a repository's path within its registry. */
export function isRepositoryPath(text: string): boolean {
  return text.length <= 255 && NAME.test(text);
}

/** True for a tag. */
export function isTag(text: unknown): text is string {
  return typeof text === 'string' && TAG.test(text);
}

/** A tag or digest that can be a part of an address as it is. Errors: `invalid`. */
export function checkedReference(reference: string): string {
  if (isDigest(reference) || isTag(reference)) return reference;
  throw new WharfError('invalid', 'invalid reference format');
}
