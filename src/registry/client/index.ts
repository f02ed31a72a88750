export { NetworkError, RegistryError, type RegistryFault, redactUrl } from './errors.ts';
export { guardedLookup, isInwardAddress } from './inward.ts';
export { openRegistries, type RegistriesOptions } from './registries.ts';
export type * from './types.ts';
