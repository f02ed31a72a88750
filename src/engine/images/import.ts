import type { Readable } from 'node:stream';
import { decompress } from '../../archive/index.ts';
import { rfc3339Nano, WharfError } from '../../base/index.ts';
import { type ExecutionConfig, hostPlatform, type ImageConfigFile, type Platform } from '../../oci/index.ts';
import { applyChanges } from './changes.ts';
import { storePlainLayer } from './layers.ts';
import type { LoadDeps } from './load.ts';
import { countImported, type ProgressLine, reportLines } from './progress.ts';
import { buildImage, keepImage, nameImage, publishImage } from './register.ts';
import type { ImageRecord } from './store.ts';
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
 * Makes an image of one layer from a root filesystem's tar (plain, gzip or zstd), sent or at a URL; the line that ends it is
 * the new id. Errors: `invalid` name or change (before anything is read) or archive, and those of `fetchArchive`.
 */
export async function* importImage(
  deps: LoadDeps,
  source: Readable | string,
  options: ImportOptions,
  signal: AbortSignal,
): AsyncIterable<ProgressLine> {
  const name = targetName(options.repo, options.tag);
  if (options.platform && options.platform.os !== 'linux') {
    throw new WharfError('invalid', 'operating system is not supported');
  }
  const config = emptyConfig();
  applyChanges(config, options.changes);
  if (typeof source !== 'string') {
    const file = { config, options, from: '-' };
    yield lastLine(await importTar(deps, source, name, file, signal));
    return;
  }
  // Loaded when it is used: the registry client comes with it.
  const { archiveUrl, fetchArchive, shownUrl } = await import('./fetch-archive.ts');
  const { body, total } = await fetchArchive(source, { signal });
  const from = shownUrl(archiveUrl(source));
  yield { status: `Downloading from ${from}` };
  const made = Promise.withResolvers<ImageRecord>();
  yield* reportLines(async (report) => {
    const counted = countImported(body, total, report);
    made.resolve(await importTar(deps, counted, name, { config, options, from }, signal));
  });
  yield lastLine(await made.promise);
}

function lastLine(image: ImageRecord): ProgressLine {
  return { status: image.id };
}

/** What a new image's config is made of. */
interface ConfigParts {
  config: ExecutionConfig;
  options: ImportOptions;
  /** Where the archive came from. */
  from: string;
}

async function importTar(
  deps: LoadDeps,
  source: AsyncIterable<Uint8Array>,
  name: string | undefined,
  parts: ConfigParts,
  signal: AbortSignal,
): Promise<ImageRecord> {
  const image = await takeIn(deps, async (lease) => {
    const { blob, diffId } = await storePlainLayer(deps.content, decompress(source), { lease, signal });
    const file = configFile(deps, parts, diffId);
    const bytes = Buffer.from(JSON.stringify(file));
    const made = await buildImage(deps, { config: bytes, layers: [blob] }, { lease, signal });
    keepImage(deps.images, made, []);
    if (name) {
      const before = deps.images.name(name);
      // Looked at again when the lease ends: the name may have stood for something that is kept for no other.
      if (before?.target) lease.add(...deps.images.blobsOf(before.imageId));
      nameImage(deps, made, name);
    }
    return made;
  });
  publishImage(deps, image, 'import');
  return image;
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
  { config, options, from }: ConfigParts,
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
    history: [{ created, comment: options.message || `Imported from ${from}` }],
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
}
