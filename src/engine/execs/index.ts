export { createExec } from './create.ts';
export { inspectExec, resizeExec } from './inspect.ts';
export { healthMonitor, runProbe } from './probe.ts';
export type { ExecDeps } from './process.ts';
export { ExecRegistry } from './registry.ts';
export { startExec } from './start.ts';
