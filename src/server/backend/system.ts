import type { Filters } from '../../api/filters.ts';
import type {
  AuthConfig,
  EventMessage,
  SystemInfo,
  SystemVersion,
  Volume,
  VolumeCreateOptions,
  VolumeWithUsers,
} from '../../api/index.ts';

export interface SystemBackend {
  ping(): {
    apiVersion: string;
    osType: string;
    builderVersion: string;
    experimental: boolean;
    swarm: string;
  };
  version(): SystemVersion;
  info(): Promise<SystemInfo>;
  events(
    input: { since?: bigint; until?: bigint; filters: Filters },
    signal: AbortSignal,
  ): AsyncIterable<EventMessage>;
  /** The document of `/system/df`, limited to the asked types (empty: all). */
  diskUsage(types: string[]): Promise<Record<string, unknown>>;
  /** Drops cached results of builds. Errors: `invalid` filter. */
  pruneBuildCache(filters: Filters): Promise<{ deleted: string[]; spaceReclaimed: number }>;
  /** Checks credentials with the registry that they name. */
  auth(credentials: AuthConfig, signal: AbortSignal): Promise<{ Status: string; IdentityToken: string }>;
  /** `wharf doctor --verify`: each promise checked, differences named. */
  verify(): Promise<{ ok: boolean; findings: { check: string; problem: string }[] }>;
}

export interface VolumesBackend {
  list(filters: Filters): Promise<{ Volumes: Volume[]; Warnings: string[] }>;
  create(options: VolumeCreateOptions): Promise<Volume>;
  inspect(name: string): Promise<Volume>;
  /** With what it holds and who has it. */
  inspectUsage(name: string): Promise<VolumeWithUsers>;
  remove(name: string, options: { force: boolean }): Promise<void>;
  prune(filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }>;
}
