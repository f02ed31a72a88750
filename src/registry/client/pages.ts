import { WharfError } from '../../base/index.ts';
import { MAX_MANIFEST_BYTES } from '../../oci/index.ts';
import type { Session } from './session.ts';
import type { WireResponse } from './wire.ts';

/** Pages of one listing; a registry that has more of them goes round in circles. */
const MAX_PAGES = 10_000;
/** Entries that are asked for at once. */
export const PAGE = 1000;

/** The documents of a listing, following `Link: <…>; rel="next"` within the registry. Errors: `invalid`, and those of requests. */
export async function* pages(
  session: Session,
  what: string,
  call: {
    path: string;
    scopes?: readonly string[];
    unknown?: string;
    accept?: readonly number[];
    signal?: AbortSignal | undefined;
  },
): AsyncGenerator<{ response: WireResponse; document: Record<string, unknown> }> {
  let path: string | URL = call.path;
  const seen = new Set<string>();
  for (let page = 0; page < MAX_PAGES; page++) {
    const response: WireResponse = await session.request(what, { ...call, method: 'GET', path });
    const bytes = await response.bytes(MAX_MANIFEST_BYTES);
    yield { response, document: readObject(bytes, what) };
    const next: URL | undefined = nextPage(response);
    if (!next) return;
    if (seen.has(next.href)) break;
    seen.add(next.href);
    path = next;
  }
  throw new WharfError('invalid', `the registry's list of ${what} has no end`);
}

/** What a Link header (RFC 8288) names as the next page. */
export function nextTarget(header: string): string | undefined {
  // Time grows with the length alone: no part of the pattern goes over a second `<`.
  return /<([^<>]*)>\s*;[^,<]*\brel="?next"?/i.exec(header)?.[1];
}

function nextPage(response: WireResponse): URL | undefined {
  const header = response.headers['link'];
  const target = nextTarget(Array.isArray(header) ? header.join(',') : (header ?? ''));
  if (target === undefined) return undefined;
  const next = URL.canParse(target, response.url.href) ? new URL(target, response.url) : undefined;
  if (!next || next.host !== response.url.host)
    throw new WharfError('invalid', 'the next page of the list is at another host');
  next.protocol = response.url.protocol;
  next.username = '';
  next.password = '';
  return next;
}

/** A JSON object of an answer. Errors: `invalid`. */
export function readObject(bytes: Buffer, what: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(String(bytes));
  } catch (cause) {
    throw new WharfError('invalid', `the registry's answer about ${what} is no JSON`, { cause });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new WharfError('invalid', `the registry's answer about ${what} is no JSON object`);
  return document as Record<string, unknown>;
}

/** A field that must be a list or absent. Errors: `invalid`. */
export function listField(document: Record<string, unknown>, field: string, what: string): unknown[] {
  const value = document[field] ?? [];
  if (!Array.isArray(value))
    throw new WharfError('invalid', `the registry's answer about ${what} has no list of ${field}`);
  return value;
}
