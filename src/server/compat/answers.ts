import type { ApiVersion } from '../../api/index.ts';

type Document = Record<string, unknown>;

/** Documents that changed between API versions. */
export type DocumentName = 'container' | 'image' | 'image-summary' | 'info' | 'disk-usage';

interface Change {
  /** Versions below this one get the change. */
  readonly before: ApiVersion;
  /** Changes a shallow copy in place. */
  readonly apply: (document: Document) => void;
}

/** The container's part of an image's configuration, which the API showed until 1.50. */
const CONTAINER_FIELDS: Document = {
  Hostname: '',
  Domainname: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: '',
};

const EMPTY_CONTAINER_CONFIG: Document = {
  ...CONTAINER_FIELDS,
  User: '',
  Env: null,
  Cmd: null,
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
  Labels: null,
};

const addVirtualSize: Change = {
  before: 44,
  apply: (image) => {
    image['VirtualSize'] = image['Size'];
  },
};

/** Networks that are no user's. */
const PREDEFINED = new Set(['bridge', 'host', 'none']);

/** Until 1.44 the names that every container has counted as its aliases. */
const addOwnAliases: Change = {
  before: 45,
  apply: (container) => {
    const settings = container['NetworkSettings'] as { Networks?: Record<string, Document> };
    const { Hostname } = container['Config'] as { Hostname?: string };
    const own = [String(container['Id']).slice(0, 12), ...(Hostname ? [Hostname] : [])];
    const networks = Object.entries(settings.Networks ?? {}).map(([name, endpoint]) => {
      const given = (endpoint['Aliases'] ?? []) as string[];
      const Aliases = [...new Set([...given, ...own])];
      return [name, PREDEFINED.has(name) ? endpoint : { ...endpoint, Aliases }];
    });
    container['NetworkSettings'] = { ...settings, Networks: Object.fromEntries(networks) };
  },
};

const CHANGES: Record<DocumentName, readonly Change[]> = {
  container: [addOwnAliases],
  image: [
    addVirtualSize,
    {
      before: 45,
      apply: (image) => Object.assign(image, { Container: '', ContainerConfig: EMPTY_CONTAINER_CONFIG }),
    },
    {
      before: 50,
      apply: (image) => {
        image['Config'] = { ...CONTAINER_FIELDS, ...(image['Config'] as Document | undefined) };
      },
    },
  ],
  'image-summary': [
    addVirtualSize,
    {
      before: 43,
      apply: (image) => {
        const tags = image['RepoTags'] as string[] | null | undefined;
        const digests = image['RepoDigests'] as string[] | null | undefined;
        if (tags?.length || digests?.length) {
          if (!digests?.length) image['RepoDigests'] = null;
          return;
        }
        image['RepoTags'] = ['<none>:<none>'];
        image['RepoDigests'] = ['<none>@<none>'];
      },
    },
    { before: 51, apply: (image) => Object.assign(image, { Containers: -1 }) },
  ],
  info: [
    {
      before: 25,
      apply: (info) => {
        const options = (info['SecurityOptions'] ?? []) as string[];
        info['SecurityOptions'] = options.map((option) => /^name=([^,]*)/.exec(option)?.[1] ?? option);
      },
    },
    { before: 42, apply: (info) => Object.assign(info, { KernelMemory: true }) },
    {
      before: 44,
      apply: (info) => {
        const runtimes = Object.entries((info['Runtimes'] ?? {}) as Record<string, Document>);
        info['Runtimes'] = Object.fromEntries(runtimes.map(([name, { status: _, ...rest }]) => [name, rest]));
      },
    },
    {
      before: 46,
      apply: (info) => {
        delete info['Containerd'];
      },
    },
    {
      before: 47,
      apply: (info) => {
        info['RegistryConfig'] = {
          ...(info['RegistryConfig'] as Document | undefined),
          AllowNondistributableArtifactsCIDRs: [],
          AllowNondistributableArtifactsHostnames: [],
        };
      },
    },
    {
      before: 49,
      apply: (info) => {
        delete info['FirewallBackend'];
        for (const tool of ['ContainerdCommit', 'RuncCommit', 'InitCommit']) {
          const commit = info[tool] as Document | undefined;
          if (commit) info[tool] = { ...commit, Expected: commit['ID'] };
        }
      },
    },
    {
      before: 50,
      apply: (info) => Object.assign(info, { BridgeNfIptables: false, BridgeNfIp6tables: false }),
    },
  ],
  'disk-usage': [
    {
      before: 44,
      apply: (usage) => {
        const images = (usage['Images'] ?? []) as Document[];
        usage['Images'] = images.map((image) => ({ ...image, VirtualSize: image['Size'] }));
      },
    },
  ],
};

/** The document as clients of that version know it; the newest get it as it is. */
export function adapt(name: DocumentName, version: ApiVersion, document: object): object {
  const changes = CHANGES[name].filter((change) => version < change.before);
  if (changes.length === 0) return document;
  const copy: Document = { ...document };
  for (const change of changes) change.apply(copy);
  return copy;
}

/** The media type of raw or multiplexed output; until 1.42 both had one name. */
export function streamContentType(version: ApiVersion, multiplexed: boolean): string {
  return multiplexed && version >= 42
    ? 'application/vnd.docker.multiplexed-stream'
    : 'application/vnd.docker.raw-stream';
}
