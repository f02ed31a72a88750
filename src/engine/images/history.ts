import type { ContentStore } from '../../content/index.ts';
import type { Platform } from '../../oci/index.ts';
import { readConfig } from './inspect.ts';
import { requirePlatform } from './platform.ts';
import { familiarName, type ImageRecord, type ImageStore } from './store.ts';

/** One line of `GET /images/{name}/history`, newest first. */
export interface HistoryLine {
  Id: string;
  Created: number;
  CreatedBy: string;
  Tags: string[] | null;
  Size: number;
  Comment: string;
}

/** How an image came to be, instruction by instruction. Errors: `not-found`. */
export async function imageHistory(
  deps: { images: ImageStore; content: ContentStore },
  ref: string,
  platform?: Platform,
): Promise<HistoryLine[]> {
  const image = deps.images.resolve(ref);
  requirePlatform(ref, image, platform);
  const history = (await readConfig(deps.content, image)).history ?? [];
  const sizes = image.layers.map((layer) => layer.bytes);
  // A config without history still has its layers: one line each.
  const entries = history.length > 0 ? history : sizes.map(() => ({ created: image.created }));
  const lines = entries.map((entry): HistoryLine => {
    const empty = 'empty_layer' in entry && entry.empty_layer === true;
    return {
      Id: '<missing>',
      Created: Math.floor((Date.parse(entry.created ?? '') || 0) / 1000),
      CreatedBy: ('created_by' in entry && entry.created_by) || '',
      Tags: null,
      Size: empty ? 0 : (sizes.shift() ?? 0),
      Comment: ('comment' in entry && entry.comment) || '',
    };
  });
  lines.reverse();
  // A commit adds one line: the next one is the parent's newest.
  let named: ImageRecord | undefined = image;
  for (const line of lines) {
    if (!named) break;
    line.Id = named.id;
    const tags = deps.images
      .namesOf(named.id)
      .map(familiarName)
      .filter((name) => !name.includes('@'));
    line.Tags = tags.length > 0 ? tags : null;
    named = named.parent === undefined ? undefined : deps.images.get(named.parent);
  }
  return lines;
}
