import type { ObjectVersion } from './system.ts';

/** Engine API v1.51 `VolumeUsageData`. */
export interface VolumeUsageData {
  Size?: number;
  RefCount?: number;
}

/** Engine API v1.51 `Volume`. */
export interface Volume {
  Name?: string;
  Driver?: string;
  Mountpoint?: string;
  CreatedAt?: string;
  Status?: Record<string, Record<string, unknown>>;
  Labels?: Record<string, string>;
  Scope?: string;
  ClusterVolume?: ClusterVolume;
  Options?: Record<string, string>;
  UsageData?: VolumeUsageData | null;
}

/** Answer of Wharf's own `GET /wharf/volumes/{name}`: `UsageData` always, and the ids of the containers that have it. */
export interface VolumeWithUsers extends Volume {
  UsageData: VolumeUsageData;
  Users: string[];
}

/** Engine API v1.51 `VolumeCreateOptions`. */
export interface VolumeCreateOptions {
  Name?: string;
  Driver?: string;
  DriverOpts?: Record<string, string>;
  Labels?: Record<string, string>;
  ClusterVolumeSpec?: ClusterVolumeSpec;
}

/** Engine API v1.51 `VolumeListResponse`. */
export interface VolumeListResponse {
  Volumes?: Volume[];
  Warnings?: string[];
}

/** Engine API v1.51 `ClusterVolumeInfo`. */
export interface ClusterVolumeInfo {
  CapacityBytes?: number;
  VolumeContext?: Record<string, string>;
  VolumeID?: string;
  AccessibleTopology?: Topology[];
}

/** Engine API v1.51 `ClusterVolumePublishStatus`. */
export interface ClusterVolumePublishStatus {
  NodeID?: string;
  State?: string;
  PublishContext?: Record<string, string>;
}

/** Engine API v1.51 `ClusterVolume`. */
export interface ClusterVolume {
  ID?: string;
  Version?: ObjectVersion;
  CreatedAt?: string;
  UpdatedAt?: string;
  Spec?: ClusterVolumeSpec;
  Info?: ClusterVolumeInfo;
  PublishStatus?: ClusterVolumePublishStatus[];
}

/** Engine API v1.51 `ClusterVolumeSpecAccessModeSecrets`. */
export interface ClusterVolumeSpecAccessModeSecrets {
  Key?: string;
  Secret?: string;
}

/** Engine API v1.51 `ClusterVolumeSpecAccessModeAccessibilityRequirements`. */
export interface ClusterVolumeSpecAccessModeAccessibilityRequirements {
  Requisite?: Topology[];
  Preferred?: Topology[];
}

/** Engine API v1.51 `ClusterVolumeSpecAccessModeCapacityRange`. */
export interface ClusterVolumeSpecAccessModeCapacityRange {
  RequiredBytes?: number;
  LimitBytes?: number;
}

/** Engine API v1.51 `ClusterVolumeSpecAccessMode`. */
export interface ClusterVolumeSpecAccessMode {
  Scope?: string;
  Sharing?: string;
  MountVolume?: Record<string, unknown>;
  Secrets?: ClusterVolumeSpecAccessModeSecrets[];
  AccessibilityRequirements?: ClusterVolumeSpecAccessModeAccessibilityRequirements;
  CapacityRange?: ClusterVolumeSpecAccessModeCapacityRange;
  Availability?: string;
}

/** Engine API v1.51 `ClusterVolumeSpec`. */
export interface ClusterVolumeSpec {
  Group?: string;
  AccessMode?: ClusterVolumeSpecAccessMode;
}

/** Engine API v1.51 `Topology`. */
export type Topology = Record<string, string>;
