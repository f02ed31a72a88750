import { WharfError } from '../../base/index.ts';
import { familiarName } from './store.ts';

/** A moment of the `until` filter in milliseconds since 1970: seconds, RFC 3339, or a Go duration back from now. Errors: `invalid`. */
export function filterTime(text: string, now: number = Date.now()): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) {
    let back = 0;
    for (const [, amount, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h)/g)) {
      back += Number(amount) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 'ms' | 's' | 'm' | 'h'];
    }
    return now - back;
  }
  const parsed = Date.parse(text);
  if (Number.isNaN(parsed)) {
    throw new WharfError(
      'invalid',
      `invalid value for "until" filter: failed to parse value as time or duration: "${text}"`,
    );
  }
  return parsed;
}

/**
 * The `reference` filter: a shell pattern over the familiar name, with or without its tag (`busybox`, `busy*`,
 * `my/*:1.?`). `*` stops at a slash.
 */
export function referencePattern(pattern: string): (canonical: string) => boolean {
  const expression = globExpression(pattern);
  return (canonical) => {
    const familiar = familiarName(canonical);
    const bare = familiar.replace(/(@sha256:[0-9a-f]{64}|:[^/:@]*)$/, '');
    return expression.test(familiar) || expression.test(bare) || expression.test(canonical);
  };
}

function globExpression(pattern: string): RegExp {
  if (pattern.length > 512) throw new WharfError('invalid', 'the reference filter is too long');
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] as string;
    // A run of stars is one star; more would make matching slow.
    if (char === '*') {
      while (pattern[at + 1] === '*') at++;
      source += '[^/]*';
    } else if (char === '?') source += '[^/]';
    else if (char === '[' && pattern.indexOf(']', at + 1) > 0) {
      const end = pattern.indexOf(']', at + 1);
      const set = pattern
        .slice(at + 1, end)
        .replace(/\\/g, '\\\\')
        .replace(/^[!^]/, '^');
      source += `[${set}]`;
      at = end;
    } else source += char.replace(/[.+^${}()|[\]\\/]/g, '\\$&');
  }
  return new RegExp(`^${source}$`);
}
