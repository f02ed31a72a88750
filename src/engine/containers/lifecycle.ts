export { attachContainer } from './attach.ts';
export { containerChanges } from './changes.ts';
export { publishContainerEvent } from './container-events.ts';
export { parseDetachKeys } from './detach-keys.ts';
export { PROBE_OUTPUT, type ProbeResult, startHealth } from './health.ts';
export { killContainer } from './kill.ts';
export type {
  CoreDeps,
  LiveHealth,
  MountOps,
  NetworkFiles,
  RunDeps,
  RunPaths,
  SpecOps,
  TeardownDeps,
} from './lifecycle-deps.ts';
export { LiveContainers } from './live.ts';
export { containerLogs } from './logs.ts';
export { hostMountOps } from './mount-ops.ts';
export { pauseContainer, unpauseContainer } from './pause.ts';
export type { ContainerRecord } from './record.ts';
export { type RecoveryReport, recoverContainers, startWithDaemon } from './recovery.ts';
export { removeContainer } from './remove.ts';
export { resizeContainer } from './resize.ts';
export { restartContainer } from './restart.ts';
export type { OutputChunk, StdioSession } from './session.ts';
export { shutdownContainers } from './shutdown.ts';
export { startContainer } from './start.ts';
export { programErrorText } from './start-error.ts';
export { isRestarting, notRunning } from './state-texts.ts';
export { containerStats, StatsSampler } from './stats.ts';
export { stopContainer } from './stop.ts';
export { topContainer } from './top.ts';
export { waitContainer } from './wait.ts';
