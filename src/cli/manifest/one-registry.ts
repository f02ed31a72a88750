import { WharfError } from '../../base/index.ts';
import { parseReference, type Reference } from '../../oci/index.ts';
import type { ManifestEntry } from './entry.ts';

/** Refuses a list whose images are of another registry than the list. Throws WharfError `invalid`. */
export function oneRegistry(list: Reference, entries: readonly ManifestEntry[], before = ''): void {
  for (const { ref } of entries) {
    const { domain } = parseReference(ref);
    if (domain !== list.domain)
      throw new WharfError(
        'invalid',
        `${before}cannot use source images from a different registry than the target image: ${domain} != ${list.domain}`,
      );
  }
}
