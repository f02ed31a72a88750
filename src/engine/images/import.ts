import type { Readable } from 'node:stream';
import { decompress } from '../../archive/index.ts';
import { rfc3339Nano, WharfError } from '../../base/index.ts';
import { type ExecutionConfig, hostPlatform, type ImageConfigFile, type Platform } from '../../oci/index.ts';
import { applyChanges } from './changes.ts';
import { storePlainLayer } from './layers.ts';
import type { LoadDeps, ProgressLine } from './load.ts';
import { nameImage, publishImage, registerImage } from './register.ts';
import { canonicalName } from './store.ts';

export interface ImportOptions {
  /** Repository and tag to give it; empty for none. */
  repo: string;
  tag: string;
  /** Dockerfile instructions applied to the new config. */
  changes: string[];
  message: string;
  platform?: Platform;
}

/**
 * Makes an image of one layer from a root filesystem's tar (plain, gzip or zstd); the line that ends it is the new id.
 * Errors: `invalid` name or change (before anything is read) or archive.
 */
export async function* importImage(
  deps: LoadDeps,
  source: Readable,
  options: ImportOptions,
  signal: AbortSignal,
): AsyncIterable<ProgressLine> {
  const name = options.repo
    ? canonicalName(options.tag ? `${options.repo}:${options.tag}` : options.repo)
    : undefined;
  if (options.repo && (!name || name.includes('@')))
    throw new WharfError('invalid', 'invalid reference format');
  const config = emptyConfig();
  applyChanges(config, options.changes);
  const image = await deps.gate.hold(async () => {
    const { blob, diffId } = await storePlainLayer(deps.content, decompress(source), signal);
    const file = configFile(deps, config, options, diffId);
    const bytes = Buffer.from(JSON.stringify(file));
    const made = await registerImage(deps, { config: bytes, layers: [blob] }, () => {}, signal);
    if (name) nameImage(deps, made, name);
    return made;
  });
  publishImage(deps, image, 'import');
  yield { status: image.id };
}

/** The fields that Docker writes even when they are empty. */
function emptyConfig(): ExecutionConfig {
  return {
    User: '',
    Env: undefined,
    Cmd: null,
    Volumes: null,
    WorkingDir: '',
    Entrypoint: null,
    OnBuild: null,
    Labels: null,
  };
}

function configFile(
  deps: LoadDeps,
  config: ExecutionConfig,
  options: ImportOptions,
  diffId: ImageConfigFile['rootfs']['diff_ids'][number],
): ImageConfigFile {
  const created = rfc3339Nano(deps.clock.nowNanos());
  const platform = options.platform ?? hostPlatform();
  return {
    architecture: platform.architecture,
    ...(platform.variant ? { variant: platform.variant } : {}),
    os: platform.os,
    config,
    created,
    history: [{ created, comment: options.message }],
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
}
