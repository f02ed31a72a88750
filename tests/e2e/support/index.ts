/** What end-to-end tests are written with. */
export { hasStockClient, ROOT, stockClient, WHARF, WHARFD } from './clients.ts';
export { eventually, execute, type Outcome, Session } from './command.ts';
export { type Answer, needsOwnDaemon, TestDaemon, useDaemon } from './daemon.ts';
export { PASSWORD, type RegistryKind, TestRegistry, USER } from './registries.ts';
export { Terminal } from './terminal.ts';
