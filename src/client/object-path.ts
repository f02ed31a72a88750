import { WharfError } from '../base/index.ts';

/**
 * The path of one object, `/networks/{name}` and what follows it. Throws WharfError `invalid` for an empty name, whose
 * path would be that of the list.
 */
export function objectPath(kind: 'container' | 'network' | 'volume', name: string, rest = ''): string {
  return `/${kind}s/${encodeURIComponent(checkedName(kind, name))}${rest}`;
}

/** The name, when it is one. Throws WharfError `invalid` for one of nothing but blanks. */
export function checkedName(kind: 'container' | 'network' | 'volume', name: string): string {
  if (name.trim() === '') throw new WharfError('invalid', `invalid ${kind} name or ID: value is empty`);
  return name.trim();
}
