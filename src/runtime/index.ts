export { hostFacts } from './host-facts.ts';
export { warmSeccomp } from './seccomp-cache.ts';
export { checkHostConfig } from './spec/check.ts';
export { execProcess } from './spec/exec-process.ts';
export { resourcesFromHostConfig } from './spec/resources.ts';
export { loadSeccompProfile, type SeccompProfile } from './spec/seccomp.ts';
export { assembleSpec } from './spec/spec.ts';
export type {
  CgroupFacts,
  DeviceNode,
  ExecInput,
  HostFacts,
  NamespacePaths,
  ResolvedUser,
  SpecDefaults,
  SpecInput,
} from './spec-input.ts';
export { openTaskService, type TaskServiceOptions } from './task-service.ts';
export type * from './types.ts';
export { resolveUser } from './user.ts';
export { prepareWorkdir } from './workdir.ts';
