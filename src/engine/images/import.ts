import type { Readable } from 'node:stream';
import { decompress } from '../../archive/index.ts';
import { rfc3339Nano, WharfError } from '../../base/index.ts';
import { type ExecutionConfig, hostPlatform, type ImageConfigFile, type Platform } from '../../oci/index.ts';
import { applyChanges } from './changes.ts';
import { storePlainLayer } from './layers.ts';
import type { LoadDeps } from './load.ts';
import type { ProgressLine } from './progress.ts';
import { buildImage, keepImage, nameImage, publishImage } from './register.ts';
import { takeIn } from './take-in.ts';
import { targetName } from './target-name.ts';

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
  const name = targetName(options.repo, options.tag);
  if (options.platform && options.platform.os !== 'linux') {
    throw new WharfError('invalid', 'operating system is not supported');
  }
  const config = emptyConfig();
  applyChanges(config, options.changes);
  const image = await takeIn(deps, async (lease) => {
    const { blob, diffId } = await storePlainLayer(deps.content, decompress(source), { lease, signal });
    const file = configFile(deps, config, options, diffId);
    const bytes = Buffer.from(JSON.stringify(file));
    const made = await buildImage(deps, { config: bytes, layers: [blob] }, { lease, signal });
    keepImage(deps.images, made, []);
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
    history: [{ created, comment: options.message || 'Imported from -' }],
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
}
