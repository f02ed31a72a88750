/** What end-to-end tests are written with. */

export { ChaosProxy, type Fault } from './chaos.ts';
export { hasStockClient, ROOT, stockClient, WHARF, WHARFD } from './clients.ts';
export { eventually, execute, type Outcome, Session } from './command.ts';
export { type Answer, type DaemonOptions, needsOwnDaemon, TestDaemon, useDaemon } from './daemon.ts';
export { storeNoise } from './noise-image.ts';
export {
  type Blob,
  busyboxTar,
  type OciImage,
  ociImage,
  ociVariants,
  randomImage,
  tarOf,
} from './oci-image.ts';
export { PASSWORD, type RegistryKind, TestRegistry, USER } from './registries.ts';
export { RegistryLab } from './registry-lab.ts';
export { RegistrySite, type SiteOptions } from './registry-site.ts';
export { Terminal } from './terminal.ts';
