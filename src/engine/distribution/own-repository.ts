import { isKind, WharfError } from '../../base/index.ts';
import type { Reference } from '../../oci/index.ts';
import type { RegistryCredentials, Repository } from '../../registry/types.ts';
import type { DistributionDeps } from './types.ts';

/** A repository of the registry of this process; undefined when another registry is meant. */
export function ownRepository(
  { own }: Pick<DistributionDeps, 'own'>,
  { domain, path }: Reference,
  credentials: RegistryCredentials,
): Promise<Repository> | undefined {
  if (!own?.serves(domain)) return undefined;
  return own.repository(path, credentials).catch((thrown: unknown) => {
    if (!isKind(thrown, 'unauthorized')) throw thrown;
    // As for the login to a registry elsewhere: 401 would let clients ask for another password, and wait for it.
    throw new WharfError('internal', `unauthorized: ${(thrown as Error).message}`, { cause: thrown });
  });
}
