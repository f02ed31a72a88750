import type { ApiVersion, ContainerCreateRequest, Filters } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';

interface Change {
  readonly from: ApiVersion;
  readonly to: ApiVersion;
  readonly apply: (request: ContainerCreateRequest) => void;
}

/** Versions from `from` up to but without `to` get the change. */
const CREATE_CHANGES: readonly Change[] = [
  {
    from: 0,
    to: 25,
    apply: ({ hostConfig }) => {
      hostConfig.AutoRemove = false;
    },
  },
  {
    from: 0,
    to: 40,
    apply: ({ hostConfig }) => {
      hostConfig.IpcMode ||= 'shareable';
      if (hostConfig.Mounts) for (const mount of hostConfig.Mounts) delete mount.BindOptions?.NonRecursive;
    },
  },
  {
    from: 0,
    to: 41,
    apply: ({ hostConfig }) => {
      hostConfig.CgroupnsMode ||= 'host';
    },
  },
  {
    // It has had no effect since.
    from: 42,
    to: Number.POSITIVE_INFINITY,
    apply: ({ hostConfig }) => {
      delete hostConfig.KernelMemory;
    },
  },
  {
    from: 0,
    to: 43,
    apply: ({ hostConfig }) => {
      delete hostConfig.Annotations;
    },
  },
  {
    from: 0,
    to: 44,
    apply: ({ networkingConfig }) => {
      const names = Object.keys(networkingConfig.EndpointsConfig ?? {});
      if (names.length < 2) return;
      const text = `Container cannot be created with multiple network endpoints: ${names.join(', ')}`;
      throw new WharfError('invalid', text);
    },
  },
  {
    from: 0,
    to: 44,
    apply: ({ config, hostConfig }) => {
      delete config.Healthcheck?.StartInterval;
      for (const mount of hostConfig.Mounts ?? []) {
        delete mount.BindOptions?.ReadOnlyNonRecursive;
        delete mount.BindOptions?.ReadOnlyForceRecursive;
      }
    },
  },
];

/** What a create request of that version means to the engine of today. Changes the request in place. Errors: `invalid` for what that version did not have. */
export function adaptCreate(version: ApiVersion, request: ContainerCreateRequest): ContainerCreateRequest {
  for (const { from, to, apply } of CREATE_CHANGES) if (version >= from && version < to) apply(request);
  return request;
}

/** Until 1.42 a prune took named volumes, too. */
export function adaptVolumePrune(version: ApiVersion, filters: Filters): Filters {
  return version < 42 ? new Map([...filters, ['all', ['true']]]) : filters;
}
