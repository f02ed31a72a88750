import { WharfError } from '../base/index.ts';
import { parseDigest } from './digest.ts';
import type { Digest } from './types.ts';

// The grammar of distribution/reference, "Grammar" in its package documentation.
const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`;
const PATH_COMPONENT = '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*';
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const FULL = new RegExp(
  `^(${DOMAIN})/(${PATH_COMPONENT}(?:/${PATH_COMPONENT})*)(?::(${TAG}))?(?:@(${DIGEST}))?$`,
);
const TAG_ONLY = new RegExp(`^${TAG}$`);
const DEFAULT_DOMAIN = 'docker.io';
const OFFICIAL = 'library/';
const MAX_PATH = 255;
/** Longer texts can't be valid: domain, path, tag and digest have bounds of their own; this one keeps the matching cheap. */
const MAX_TEXT = 1024;

/** An image reference in normal form: the domain is always there, and `library/` before official names of docker.io. */
export class Reference {
  readonly domain: string;
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;

  constructor(parts: {
    domain: string;
    path: string;
    tag?: string | undefined;
    digest?: Digest | undefined;
  }) {
    this.domain = parts.domain;
    this.path = parts.path;
    this.tag = parts.tag;
    this.digest = parts.digest;
  }

  /** Domain and path: `docker.io/library/busybox`. */
  get name(): string {
    return `${this.domain}/${this.path}`;
  }

  /** The name as people write it: `busybox`, `team/app`, `host:5000/app`. */
  get familiarName(): string {
    if (this.domain !== DEFAULT_DOMAIN) return this.name;
    const short = this.path.startsWith(OFFICIAL) ? this.path.slice(OFFICIAL.length) : this.path;
    return short.includes('/') ? this.path : short;
  }

  /** The short form with tag and digest: `busybox:latest`. */
  familiar(): string {
    return this.familiarName + this.suffix();
  }

  /** The full form with tag and digest: `docker.io/library/busybox:latest`. */
  canonical(): string {
    return this.name + this.suffix();
  }

  private suffix(): string {
    return (
      (this.tag === undefined ? '' : `:${this.tag}`) + (this.digest === undefined ? '' : `@${this.digest}`)
    );
  }
}

/**
 * Parses and normalises an image reference as Docker does: no registry means docker.io, one component there means
 * `library/`. No tag is added. Errors: `invalid`, with Docker's texts.
 */
export function parseReference(text: string): Reference {
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw new WharfError(
      'invalid',
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  if (text.length > MAX_TEXT) throw new WharfError('invalid', 'invalid reference format');
  const { domain, remainder } = splitDomain(text);
  const colon = remainder.indexOf(':');
  const repository = colon < 0 ? remainder : remainder.slice(0, colon);
  if (repository.toLowerCase() !== repository) {
    throw new WharfError(
      'invalid',
      `invalid reference format: repository name (${repository}) must be lowercase`,
    );
  }
  const match = FULL.exec(`${domain}/${remainder}`);
  if (!match) throw new WharfError('invalid', 'invalid reference format');
  const path = match[2] as string;
  if (path.length > MAX_PATH) {
    throw new WharfError('invalid', `repository name must not be more than ${MAX_PATH} characters`);
  }
  const digest = match[4] === undefined ? undefined : parseDigest(match[4]);
  return new Reference({ domain: match[1] as string, path, tag: match[3], digest });
}

/** The same reference with the tag `latest` when it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined
    ? withTag(reference, 'latest')
    : reference;
}

/** The same name with another tag and no digest. Errors: `invalid`. */
export function withTag(reference: Reference, tag: string): Reference {
  if (!TAG_ONLY.test(tag)) throw new WharfError('invalid', 'invalid tag format');
  return new Reference({ domain: reference.domain, path: reference.path, tag });
}

/** The same name with another digest and no tag. */
export function withDigest(reference: Reference, digest: Digest): Reference {
  return new Reference({ domain: reference.domain, path: reference.path, digest });
}

/** Cuts `host:5000/app:1@sha256:…` where name, tag and digest meet; the parts aren't checked. A port is not a tag. */
export function splitRepoTag(text: string): { repository: string; tag?: string; digest?: string } {
  const at = text.indexOf('@');
  const named = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? {} : { digest: text.slice(at + 1) };
  const colon = named.lastIndexOf(':');
  if (colon < 0 || named.indexOf('/', colon) >= 0) return { repository: named, ...digest };
  return { repository: named.slice(0, colon), tag: named.slice(colon + 1), ...digest };
}

function splitDomain(text: string): { domain: string; remainder: string } {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const isDomain =
    slash >= 0 &&
    (first.includes('.') || first.includes(':') || first === 'localhost' || first.toLowerCase() !== first);
  let domain = isDomain ? first : DEFAULT_DOMAIN;
  let remainder = isDomain ? text.slice(slash + 1) : text;
  // The old name of the hub; Docker still reads it as today's.
  if (domain === 'index.docker.io') domain = DEFAULT_DOMAIN;
  if (domain === DEFAULT_DOMAIN && !remainder.includes('/')) remainder = OFFICIAL + remainder;
  return { domain, remainder };
}
