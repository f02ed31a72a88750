import { type Descriptor, digestOf, MediaTypes } from '../../../oci/index.ts';
import type { ImageRecord } from '../../images/index.ts';
import { collect, configOf, dockerMembers, layerOf, load, packed } from '../../images/test-fixture.ts';
import { pushImage } from '../push.ts';
import type { ProgressLine, PushInput } from '../types.ts';
import { HOST, type openDistribution } from './fixture.ts';

/** An engine and a registry, for one test. */
export type Home = ReturnType<typeof openDistribution>;

/** Of requests that nobody cancels. */
export const never = new AbortController().signal;
/** An id as progress lines have it. */
export const short = (digest: string) => digest.slice(7, 19);

/** Pushes a repository of `HOST`, and gives all lines. */
export function push(home: Home, name: string, tag = '', more: Partial<PushInput> = {}, signal = never) {
  const input = { name: `${HOST}/${name}`, tag, credentials: {}, ...more };
  return collect(pushImage(home.deps, input, signal));
}

/** What was said of one layer, but for the bytes sent. */
export const states = (lines: ProgressLine[], id: string) =>
  lines.filter((line) => line['id'] === id && line['status'] !== 'Pushing').map((line) => line['status']);
/** What the last line says was pushed. */
export const pushedDigest = (lines: ProgressLine[]) =>
  String((lines.at(-1)?.['aux'] as { Digest: string } | undefined)?.Digest);
/** The failure that the last line tells of. */
export const errorOf = (lines: ProgressLine[]) => lines.at(-1)?.['error'];

/** An image of these files, one layer each, named at the registry. */
export async function image(home: Home, tags: string[], ...files: string[]): Promise<ImageRecord> {
  const layers = files.map((text) => layerOf({ [text.slice(0, 20)]: text }));
  const config = configOf(layers, { author: tags.join() });
  const named = tags.map((tag) => `${HOST}/${tag}`);
  await load(home.fixture, packed(dockerMembers({ config, layers, tags: named })));
  return home.fixture.images.get(digestOf(config)) as ImageRecord;
}

/** Names an image by an index of its manifest and of these further entries, as a pull does. */
export async function indexed(home: Home, record: ImageRecord, name: string, entries: Descriptor[]) {
  const manifests = [{ ...record.manifest, platform: record.platform }, ...entries];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests }));
  const target = await home.fixture.content.put(bytes, MediaTypes.ociIndex);
  home.fixture.images.transaction(() => {
    home.fixture.images.setName(`${HOST}/${name}`, record.id, target);
    home.fixture.images.keepIndex({ digest: target.digest, blobs: [target, ...entries] });
  });
  return { target, bytes };
}
