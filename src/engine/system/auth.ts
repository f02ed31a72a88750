import type { AuthConfig } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';

/**
 * `POST /auth` checks credentials against a registry; distribution is a capability of its own.
 * Errors: always `not-implemented`, saying so; credentials are neither kept nor logged.
 */
export function checkCredentials(_credentials: AuthConfig): Promise<never> {
  return Promise.reject(
    new WharfError('not-implemented', 'logging in to registries is not part of this version of Wharf'),
  );
}
