export { checkCredentials } from './auth.ts';
export { type DiskUsageDeps, diskUsage } from './disk-usage.ts';
export { engineInfo, type InfoDeps, type InfoSettings } from './info.ts';
export { type Finding, type VerifyDeps, verifyEngine } from './verify.ts';
export { type EngineFacts, engineVersion } from './version.ts';
