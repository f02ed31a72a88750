/** One way to authenticate that a server offers. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  scheme: string;
  /** Names in lower case. */
  parameters: ReadonlyMap<string, string>;
}

/** Longest header that is read, and most challenges that are taken from it. */
const MAX_LENGTH = 8192;
const MAX_CHALLENGES = 8;

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const BLANK = /[ \t]*/y;
const SEPARATORS = /[ \t,]*/y;

/**
 * Reads WWW-Authenticate (RFC 9110 section 11.6.1): several challenges in one header, quoted and bare parameters.
 * What can't be read ends the list; nothing is thrown.
 */
export function parseChallenges(header: string | undefined): Challenge[] {
  const text = (header ?? '').slice(0, MAX_LENGTH);
  const found: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at += match[0].length;
    return match;
  };
  while (found.length < MAX_CHALLENGES) {
    take(SEPARATORS);
    const scheme = take(TOKEN)?.[0].toLowerCase();
    if (scheme === undefined) break;
    const parameters = new Map<string, string>();
    found.push({ scheme, parameters });
    take(BLANK);
    if (!nextIsParameter(text, at) && take(TOKEN68)) continue;
    while (nextIsParameter(text, at)) {
      const name = take(TOKEN)?.[0].toLowerCase();
      take(/[ \t]*=[ \t]*/y);
      const quoted = take(QUOTED);
      const value = quoted ? quoted[1]?.replace(/\\(.)/g, '$1') : take(TOKEN)?.[0];
      if (name === undefined || value === undefined) return found;
      parameters.set(name, value);
      take(SEPARATORS);
    }
  }
  return found;
}

/** `name=value` with a value, and so no scheme and no token68. */
function nextIsParameter(text: string, at: number): boolean {
  const pattern = /[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*=[ \t]*(?:"|[!#$%&'*+.^_`|~0-9A-Za-z-])/y;
  pattern.lastIndex = at;
  return pattern.test(text);
}
