import type { ResolvedUser } from './spec-input.ts';
/**
 * Resolves `user[:group]` (names or numbers; empty is root) and `HostConfig.GroupAdd` in a root filesystem.
 * Errors: `invalid` with Docker's texts ("unable to find user X: no matching entries in passwd file").
 */
export function resolveUser(
  _root: { readonly fd: number } | string,
  _spec: string,
  _groupAdd: string[] = [],
): ResolvedUser {
  throw new Error('resolveUser');
}
