export { registryCredentials } from './credentials.ts';
export { BlobFetcher } from './fetch.ts';
export { inspectDistribution } from './inspect.ts';
export { checkCredentials } from './login.ts';
export { pullImage } from './pull.ts';
export { pushImage } from './push.ts';
export { Uploads } from './push-uploads.ts';
export { type SearchInput, searchImages } from './search.ts';
export type * from './types.ts';
