import { WharfError } from '../../base/index.ts';
import { formatPlatform, matchPlatform, type Platform } from '../../oci/index.ts';
import type { ImageRecord } from './store.ts';

/** Errors: `not-found`, with Docker's text, when the image is of another platform than the one that was asked for. */
export function requirePlatform(ref: string, image: ImageRecord, platform: Platform | undefined): void {
  if (!platform || matchPlatform(platform, image.platform)) return;
  const [own, asked] = [formatPlatform(image.platform), formatPlatform(platform)];
  const text = `its platform (${own}) does not match the specified platform (${asked})`;
  throw new WharfError('not-found', `image with reference ${ref} was found but ${text}`);
}
