import { dirname, join } from 'node:path';
import type { ImageInspect } from '../../api/index.ts';
import type { ContentStore } from '../../content/index.ts';
import {
  type ExecutionConfig,
  type ImageConfigFile,
  type Platform,
  parseImageConfig,
} from '../../oci/index.ts';
import type { Snapshotter } from '../../snapshot/index.ts';
import { imageSize, parentOf } from './list.ts';
import { requirePlatform } from './platform.ts';
import { familiarName, type ImageRecord, type ImageStore } from './store.ts';

export interface InspectDeps {
  images: ImageStore;
  content: ContentStore;
  snapshots: Snapshotter;
}

/** The config of a stored image. */
export async function readConfig(content: ContentStore, image: ImageRecord): Promise<ImageConfigFile> {
  return parseImageConfig(await content.read(image.config.digest, 8 << 20));
}

/** The document of `GET /images/{name}/json`. Errors: `not-found`, also when the image is not of the asked platform. */
export async function inspectImage(
  deps: InspectDeps,
  ref: string,
  options: { platform?: Platform },
): Promise<ImageInspect> {
  const image = deps.images.resolve(ref);
  requirePlatform(ref, image, options.platform);
  const file = await readConfig(deps.content, image);
  const names = deps.images.namesOf(image.id).map(familiarName);
  const history = file.history ?? [];
  return {
    Id: image.id,
    RepoTags: names.filter((name) => !name.includes('@')),
    RepoDigests: names.filter((name) => name.includes('@')),
    Parent: parentOf(deps.images, image),
    Comment: String(file['comment'] ?? history.at(-1)?.comment ?? ''),
    Created: file.created,
    DockerVersion: String(file['docker_version'] ?? ''),
    Author: file.author ?? '',
    Architecture: image.platform.architecture,
    ...(image.platform.variant ? { Variant: image.platform.variant } : {}),
    Os: image.platform.os,
    Size: imageSize(image),
    GraphDriver: { Name: 'overlay2', Data: graphData(deps.snapshots, image) },
    RootFS: { Type: 'layers', Layers: image.layers.map((layer) => layer.diffId) },
    Metadata: { LastTagTime: image.lastTagTime },
    Config: inspectedConfig(file.config),
  };
}

/** Where the layers lie, as Docker's overlay2 names it. */
function graphData(snapshots: Snapshotter, image: ImageRecord): Record<string, string> {
  const here = image.layers.filter(({ chainId }) => snapshots.stat(chainId));
  const directories = here.map(({ chainId }) => snapshots.directory(chainId)).reverse();
  const [upper, ...lower] = directories;
  if (!upper) return {};
  const home = dirname(upper);
  const data = { MergedDir: join(home, 'merged'), UpperDir: upper, WorkDir: join(home, 'work') };
  return lower.length > 0 ? { LowerDir: lower.join(':'), ...data } : data;
}

/** Fields in Docker's way: the old ones always there, the newer ones when they say something. */
function inspectedConfig(config: ExecutionConfig | undefined): ImageInspect['Config'] {
  const shown: Record<string, unknown> = {
    ...config,
    Cmd: config?.Cmd ?? null,
    Entrypoint: config?.Entrypoint ?? null,
    Env: config?.Env ?? null,
    Labels: config?.Labels ?? null,
    OnBuild: config?.OnBuild ?? null,
    User: config?.User ?? '',
    Volumes: config?.Volumes ?? null,
    WorkingDir: config?.WorkingDir ?? '',
  };
  const known = new Set([
    ...OPTIONAL_FIELDS,
    'Cmd',
    'Entrypoint',
    'Env',
    'Labels',
    'OnBuild',
    'User',
    'Volumes',
    'WorkingDir',
  ]);
  return Object.fromEntries(
    Object.entries(shown).filter(([key, value]) => known.has(key) && value !== undefined),
  ) as ImageInspect['Config'];
}

const OPTIONAL_FIELDS = ['ExposedPorts', 'Healthcheck', 'StopSignal', 'Shell', 'ArgsEscaped'];
