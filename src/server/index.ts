export type * from './backend/index.ts';
export type { Backends } from './backends.ts';
export { ERROR_STATUS } from './error-status.ts';
export { describeTarget, type ListenTarget, type TlsOptions } from './listen.ts';
export { type ApiServer, type ApiServerOptions, createServer } from './server.ts';
