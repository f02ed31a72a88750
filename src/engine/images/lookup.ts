import { readFileSync } from 'node:fs';
import type { ContentStore } from '../../content/index.ts';
import { type ImageConfigFile, type Platform, parseImageConfig } from '../../oci/index.ts';
import type { ImageRecord, ImageStore } from './store.ts';

/** Configs kept parsed; an image's config never changes, so only their number is bounded. */
const KEPT_CONFIGS = 256;

/** An image as creating a container needs it. */
export interface FoundImage {
  imageId: string;
  /** chainID of the last layer; empty for an image without layers. */
  chainId: string;
  config: ImageConfigFile;
  platform: Platform;
}

/**
 * Finds images for new containers without waiting: configs are small files, and those in use stay parsed.
 * Undefined when there is no such image.
 */
export function imageLookup(deps: { images: ImageStore; content: Pick<ContentStore, 'pathOf'> }): {
  resolve(ref: string, platform?: Platform): FoundImage | undefined;
} {
  const kept = new Map<string, ImageConfigFile>();
  const configOf = (image: ImageRecord): ImageConfigFile => {
    const known = kept.get(image.id);
    if (known) return known;
    const config = parseImageConfig(readFileSync(deps.content.pathOf(image.config.digest)));
    if (kept.size >= KEPT_CONFIGS) kept.delete(kept.keys().next().value as string);
    kept.set(image.id, config);
    return config;
  };
  return {
    resolve(ref) {
      const image = deps.images.find(ref);
      if (!image) return undefined;
      return {
        imageId: image.id,
        chainId: image.layers.at(-1)?.chainId ?? '',
        config: configOf(image),
        platform: image.platform,
      };
    },
  };
}
