import { decompress } from '../../archive/index.ts';
import { WharfError } from '../../base/index.ts';
import { type Descriptor, type Digest, matchPlatform, parseImageConfig } from '../../oci/index.ts';
import type { ArchiveSpool } from './archive-spool.ts';
import { storePlainLayer } from './layers.ts';
import type { LoadContext, LoadDeps, LoadedImage } from './load.ts';
import { countLoaded } from './progress.ts';
import { buildImage } from './register.ts';
import { archivedName } from './target-name.ts';

/** More layers than overlayfs stacks. */
const MAX_LAYERS = 500;
/** What a layer's document says of that layer alone, not of the image. */
const LAYER_FIELDS = ['id', 'parent', 'Size', 'parent_id', 'layer_id', 'throwaway'];

/** The document of a layer of the oldest format (Docker image specification v1). */
interface LayerDocument {
  [field: string]: unknown;
  parent?: unknown;
  created?: unknown;
  author?: unknown;
  comment?: unknown;
  container_config?: unknown;
}

interface OldestLayer {
  id: string;
  document: LayerDocument;
}

/**
 * Reads an archive of the oldest kind: a folder for each layer, with `json` and `layer.tar`, and `repositories` with the tags.
 * An image's config is made of its top layer's document, as the reference makes it of those that Docker 1.8.3 or newer wrote,
 * so that ids are the same; of older ones the reference writes every field anew.
 * Errors: `invalid`, `corrupt`.
 */
export async function loadOldestArchive(deps: LoadDeps, context: LoadContext): Promise<LoadedImage[]> {
  const loaded = new Map<string, LoadedImage>();
  for (const { name, id } of tagsOf(await context.spool.json('repositories'))) {
    const layers = await chainOf(context.spool, id);
    const image = await loadChain(deps, context, layers);
    if (!image) continue;
    const known = loaded.get(image.id) ?? { image, names: [], silent: true };
    known.names.push({ name });
    loaded.set(image.id, known);
  }
  return [...loaded.values()];
}

function tagsOf(document: unknown): { name: string; id: string }[] {
  return Object.entries(fields(document)).flatMap(([repository, tags]) =>
    Object.entries(fields(tags)).map(([tag, id]) => {
      if (typeof id !== 'string') throw new WharfError('invalid', 'repositories: an id is no text');
      return { name: archivedName(`${repository}:${tag}`), id };
    }),
  );
}

function fields(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new WharfError('invalid', 'repositories: names with their tags are needed');
}

/** The layers of an image, lowest first. */
async function chainOf(spool: ArchiveSpool, top: string): Promise<OldestLayer[]> {
  const layers: OldestLayer[] = [];
  for (let id: unknown = top; id !== undefined && id !== ''; id = layers[0]?.document.parent) {
    if (typeof id !== 'string' || !/^[0-9a-f]{64}$/.test(id)) {
      throw new WharfError('invalid', `image ID ${JSON.stringify(id)} is invalid`);
    }
    const document = await spool.json(`${id}/json`);
    if (typeof document !== 'object' || document === null) {
      throw new WharfError('invalid', `${id}/json is not in the archive`);
    }
    if (layers.length >= MAX_LAYERS) {
      throw new WharfError(
        'invalid',
        `image ${top} has more than ${MAX_LAYERS} layers, or they go in a circle`,
      );
    }
    layers.unshift({ id, document: { ...document } });
  }
  return layers;
}

async function loadChain(
  deps: LoadDeps,
  context: LoadContext,
  layers: OldestLayer[],
): Promise<LoadedImage['image'] | undefined> {
  const top = layers.at(-1)?.document ?? {};
  const platform = { os: String(top['os'] || 'linux'), architecture: String(top['architecture'] || '') };
  if (context.platform && !matchPlatform(context.platform, platform)) return undefined;
  const blobs: Descriptor[] = [];
  const diffIds: Digest[] = [];
  for (const { id } of layers) {
    const file = context.spool.file(`${id}/layer.tar`);
    if (!file) throw new WharfError('invalid', `${id}/layer.tar is not in the archive`);
    const { report } = context;
    const source = countLoaded(context.spool.open(file), { diffId: file.digest, total: file.size }, report);
    const { blob, diffId } = await storePlainLayer(deps.content, decompress(source), context);
    blobs.push(blob);
    diffIds.push(diffId);
  }
  const config = configOf(layers, diffIds);
  parseImageConfig(config);
  return buildImage(deps, { config, layers: blobs }, context);
}

/** The top layer's document, with the layers' digests and history; fields sorted, as the reference writes its maps. */
function configOf(layers: OldestLayer[], diffIds: Digest[]): Buffer {
  const config: LayerDocument = { ...layers.at(-1)?.document };
  for (const field of LAYER_FIELDS) delete config[field];
  config['rootfs'] = { type: 'layers', diff_ids: diffIds };
  config['history'] = layers.map(({ document }) => historyOf(document));
  const sorted = Object.entries(config).sort(([one], [other]) => (one < other ? -1 : 1));
  const text = JSON.stringify(Object.fromEntries(sorted));
  // Go's encoder escapes these.
  const escaped = text.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Buffer.from(escaped);
}

function historyOf({ created, author, comment, container_config }: LayerDocument): Record<string, unknown> {
  const command = (container_config as { Cmd?: unknown } | undefined)?.Cmd;
  const createdBy = Array.isArray(command) ? command.join(' ') : '';
  return {
    created,
    ...(author ? { author } : {}),
    ...(createdBy ? { created_by: createdBy } : {}),
    ...(comment ? { comment } : {}),
  };
}
