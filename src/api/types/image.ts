import type { DriverData, HealthConfig } from './container.ts';
import type { ErrorDetail, ProgressDetail } from './system.ts';

/** Engine API v1.51 `ImageConfig`. */
export interface ImageConfig {
  User?: string;
  ExposedPorts?: Record<string, Record<string, unknown>> | null;
  Env?: string[];
  Cmd?: string[];
  Healthcheck?: HealthConfig;
  ArgsEscaped?: boolean | null;
  Volumes?: Record<string, Record<string, unknown>>;
  WorkingDir?: string;
  Entrypoint?: string[];
  OnBuild?: string[] | null;
  Labels?: Record<string, string>;
  StopSignal?: string | null;
  Shell?: string[] | null;
}

/** Engine API v1.51 `ImageInspectRootFS`. */
export interface ImageInspectRootFS {
  Type?: string;
  Layers?: string[];
}

/** Engine API v1.51 `ImageInspectMetadata`. */
export interface ImageInspectMetadata {
  LastTagTime?: string | null;
}

/** Engine API v1.51 `ImageInspect`. */
export interface ImageInspect {
  Id?: string;
  Descriptor?: OCIDescriptor | null;
  Manifests?: ImageManifestSummary[] | null;
  RepoTags?: string[];
  RepoDigests?: string[];
  Parent?: string;
  Comment?: string;
  Created?: string | null;
  DockerVersion?: string;
  Author?: string;
  Config?: ImageConfig;
  Architecture?: string;
  Variant?: string | null;
  Os?: string;
  OsVersion?: string | null;
  Size?: number;
  GraphDriver?: DriverData;
  RootFS?: ImageInspectRootFS;
  Metadata?: ImageInspectMetadata;
}

/** Engine API v1.51 `ImageSummary`. */
export interface ImageSummary {
  Id?: string;
  ParentId?: string;
  RepoTags?: string[];
  RepoDigests?: string[];
  Created?: number;
  Size?: number;
  SharedSize?: number;
  Labels?: Record<string, string>;
  Containers?: number;
  Manifests?: ImageManifestSummary[];
  Descriptor?: OCIDescriptor | null;
}

/** Engine API v1.51 `ImageDeleteResponseItem`. */
export interface ImageDeleteResponseItem {
  Untagged?: string;
  Deleted?: string;
}

/** Engine API v1.51 `ImageManifestSummarySize`. */
export interface ImageManifestSummarySize {
  Total?: number;
  Content?: number;
}

/** Engine API v1.51 `ImageManifestSummaryImageDataSize`. */
export interface ImageManifestSummaryImageDataSize {
  Unpacked?: number;
}

/** Engine API v1.51 `ImageManifestSummaryImageData`. */
export interface ImageManifestSummaryImageData {
  Platform?: OCIPlatform;
  Containers?: string[];
  Size?: ImageManifestSummaryImageDataSize;
}

/** Engine API v1.51 `ImageManifestSummaryAttestationData`. */
export interface ImageManifestSummaryAttestationData {
  For?: string;
}

/** Engine API v1.51 `ImageManifestSummary`. */
export interface ImageManifestSummary {
  ID?: string;
  Descriptor?: OCIDescriptor;
  Available?: boolean;
  Size?: ImageManifestSummarySize;
  Kind?: string;
  ImageData?: ImageManifestSummaryImageData | null;
  AttestationData?: ImageManifestSummaryAttestationData | null;
}

/** Engine API v1.51 `OCIDescriptor`. */
export interface OCIDescriptor {
  mediaType?: string;
  digest?: string;
  size?: number;
  urls?: string[] | null;
  annotations?: Record<string, string> | null;
  data?: string | null;
  platform?: OCIPlatform;
  artifactType?: string | null;
}

/** Engine API v1.51 `OCIPlatform`. */
export interface OCIPlatform {
  architecture?: string;
  os?: string;
  'os.version'?: string;
  'os.features'?: string[];
  variant?: string;
}

/** Engine API v1.51 `DistributionInspect`. */
export interface DistributionInspect {
  Descriptor?: OCIDescriptor;
  Platforms?: OCIPlatform[];
}

/** Engine API v1.51 `ImageID`. */
export interface ImageID {
  ID?: string;
}

/** Engine API v1.51 `CreateImageInfo`. */
export interface CreateImageInfo {
  id?: string;
  error?: string | null;
  errorDetail?: ErrorDetail;
  status?: string;
  progress?: string | null;
  progressDetail?: ProgressDetail;
}

/** Engine API v1.51 `PushImageInfo`. */
export interface PushImageInfo {
  error?: string | null;
  errorDetail?: ErrorDetail;
  status?: string;
  progress?: string | null;
  progressDetail?: ProgressDetail;
}
