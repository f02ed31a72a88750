import { bareDescriptor, type Descriptor, digestOf, type Manifest, MediaTypes } from '../../oci/index.ts';
import type { ImageRecord } from './store.ts';

/** The manifest that Wharf makes for an image which came without one: the same bytes each time. */
export function ownManifest(config: Descriptor, layers: readonly Descriptor[]): Buffer {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaTypes.ociManifest,
    config: bareDescriptor({ ...config, mediaType: MediaTypes.ociConfig }),
    layers: layers.map(bareDescriptor),
  };
  return Buffer.from(JSON.stringify(manifest));
}

/** True when an image's manifest was made here; else it came with the image. */
export function isOwnManifest(image: ImageRecord): boolean {
  const blobs = image.layers.map((layer) => layer.blob);
  return image.manifest.digest === digestOf(ownManifest(image.config, blobs));
}
