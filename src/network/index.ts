export { type AddressSpace, type NetworkConfig, networkConfig } from './config.ts';
export { hostResolverConfig, type ResolverConfig } from './dns/resolver.ts';
export { findNetwork } from './lookup.ts';
export { type NetworkStackOptions, openNetworkStack } from './open.ts';
export type { HostNetworkStack } from './stack.ts';
export type * from './types.ts';
