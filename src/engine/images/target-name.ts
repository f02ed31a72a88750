import { WharfError } from '../../base/index.ts';
import { parseReference, type Reference, withTag } from '../../oci/index.ts';

/**
 * The canonical name that `repo` and `tag` of a request mean, tag `latest` if none; undefined when no name is asked for.
 * A tag of its own wins over one in `repo`. Errors: `invalid`, with Docker's texts.
 */
export function targetName(repo: string, tag: string): string | undefined {
  if (repo === '') return undefined;
  const parsed = parseReference(repo);
  if (parsed.digest) throw new WharfError('invalid', 'cannot import digest reference');
  return canonicalTag(tag ? withTag(parsed, tag) : parsed);
}

/** A tag as `load` takes it from an archive: it must be whole. Errors: `invalid`, with Docker's texts. */
export function archivedName(text: string): string {
  const parsed = parseReference(text);
  if (!parsed.tag || parsed.digest) throw new WharfError('invalid', `invalid tag ${JSON.stringify(text)}`);
  return canonicalTag(parsed);
}

function canonicalTag(parsed: Reference): string {
  if (parsed.familiarName === 'sha256') {
    throw new WharfError('invalid', 'refusing to create an ambiguous tag using digest algorithm as name');
  }
  return `${parsed.name}:${parsed.tag ?? 'latest'}`;
}
