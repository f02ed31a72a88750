import { WharfError } from '../base/index.ts';
import { parseDigest } from '../oci/index.ts';

const TAG = /^[\w][\w.-]{0,127}$/;
const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
/** Whether it is a digest that is known is asked when all else is right, as Docker does. */
const DIGEST = /@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})$/;
const DOMAIN =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d+)?$/;

/** Splits `name[:tag]`, after checking it as Docker's client does before it asks the engine. Throws `invalid` with Docker's text. */
export function splitTarget(text: string): { repo: string; tag: string | undefined } {
  const bad = (detail = '') => new WharfError('invalid', `invalid reference format${detail}`);
  if (/^[a-f0-9]{64}$/.test(text))
    throw bad(
      `: repository name (${text}) cannot be a 64-byte hexadecimal string`.replace(
        'invalid reference format: ',
        '',
      ),
    );
  const [shown = '', digest] = DIGEST.exec(text) ?? [];
  const bare = text.slice(0, text.length - shown.length);
  const colon = bare.lastIndexOf(':');
  const hasTag = colon > bare.lastIndexOf('/');
  const name = hasTag ? bare.slice(0, colon) : bare;
  const tag = hasTag ? bare.slice(colon + 1) : undefined;
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasDomain =
    first !== '' && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const path = hasDomain ? name.slice(slash + 1) : name;
  if (path !== path.toLowerCase()) {
    const full = hasDomain || path.includes('/') ? path : `library/${path}`;
    throw bad(`: repository name (${full}) must be lowercase`);
  }
  if (!PATH.test(path) || (hasDomain && !DOMAIN.test(first)) || (tag !== undefined && !TAG.test(tag)))
    throw bad();
  if (digest !== undefined) parseDigest(digest);
  return { repo: name, tag };
}

/** The short form that people read, with the tag `latest` where none is given. */
export function familiarName(text: string): string {
  const { repo, tag } = splitTarget(text);
  const short = repo.replace(/^(?:docker\.io|index\.docker\.io)\//, '').replace(/^library\//, '');
  const digest = DIGEST.exec(text)?.[0];
  if (digest) return `${short}${tag === undefined ? '' : `:${tag}`}${digest}`;
  return `${short}:${tag ?? 'latest'}`;
}

/** The whole name of an image, its registry and `library/` added: `docker.io/library/busybox`. Throws as `splitTarget`. */
export function fullName(text: string): {
  name: string;
  tag: string | undefined;
  digest: string | undefined;
} {
  const { repo, tag } = splitTarget(text);
  const digest = DIGEST.exec(text)?.[1];
  const slash = repo.indexOf('/');
  const first = slash < 0 ? '' : repo.slice(0, slash);
  const hasDomain = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const domain = !hasDomain || first === 'index.docker.io' ? 'docker.io' : first;
  const path = hasDomain ? repo.slice(slash + 1) : repo;
  const official = domain === 'docker.io' && !path.includes('/');
  return { name: `${domain}/${official ? 'library/' : ''}${path}`, tag, digest };
}
