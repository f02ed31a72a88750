import type { SystemVersion, SystemVersionComponents } from '../../api/index.ts';

/** What the daemon knows of itself and of its host; read once. */
export interface EngineFacts {
  /** Version of Wharf, from package.json. */
  version: string;
  gitCommit: string;
  /** RFC 3339; when this build was made, or empty. */
  buildTime: string;
  apiVersion: string;
  minApiVersion: string;
  architecture: string;
  kernelVersion: string;
  /** Version lines of the tools that are driven, by name: `conmon`, `crun` … */
  tools: { name: string; version: string; commit: string }[];
}

/** The document of `GET /version`. */
export function engineVersion(facts: EngineFacts): SystemVersion {
  const engine: SystemVersionComponents = {
    Name: 'Engine',
    Version: facts.version,
    Details: {
      ApiVersion: facts.apiVersion,
      Arch: facts.architecture,
      BuildTime: facts.buildTime,
      Experimental: 'false',
      GitCommit: facts.gitCommit,
      GoVersion: `node ${process.version}`,
      KernelVersion: facts.kernelVersion,
      MinAPIVersion: facts.minApiVersion,
      Os: 'linux',
    },
  };
  const tools = facts.tools.map((tool) => ({
    Name: tool.name,
    Version: tool.version,
    Details: { GitCommit: tool.commit },
  }));
  return {
    Platform: { Name: 'Wharf' },
    Components: [engine, ...tools],
    Version: facts.version,
    ApiVersion: facts.apiVersion,
    MinAPIVersion: facts.minApiVersion,
    GitCommit: facts.gitCommit,
    // The field is Go's in name only; here it tells what the engine runs on.
    GoVersion: `node ${process.version}`,
    Os: 'linux',
    Arch: facts.architecture,
    KernelVersion: facts.kernelVersion,
    BuildTime: facts.buildTime,
  };
}
