import type { AccessPolicy, Gatekeeper } from './types.ts';

/** Lets everybody in as nobody, with the rights that the policy gives to nobody: all, unless one is given. */
export function openGatekeeper(policy?: AccessPolicy): Gatekeeper {
  const allows = (action: 'pull' | 'push' | 'delete', repository: string) =>
    policy?.allows(undefined, action, repository) ?? true;
  return {
    authorize(_request, needs) {
      const allowed =
        needs === 'base' ||
        (needs === 'catalog'
          ? (policy?.allowsCatalog(undefined) ?? true)
          : allows(needs.action, needs.repository));
      if (allowed) return { user: undefined, allows };
      return {
        user: undefined,
        status: 403,
        code: 'DENIED',
        message: 'requested access to the resource is denied',
      };
    },
  };
}
