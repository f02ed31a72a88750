import type { Readable } from 'node:stream';
import { WharfError } from '../../base/index.ts';
import type { Lease } from '../../content/index.ts';
import type { Descriptor, Digest, Platform } from '../../oci/index.ts';
import { ArchiveSpool } from './archive-spool.ts';
import { loadDockerArchive } from './load-docker-archive.ts';
import { loadOciLayout } from './load-oci-layout.ts';
import { loadOldestArchive } from './load-oldest-archive.ts';
import { type ProgressLine, type Report, reportLines } from './progress.ts';
import { keepImage, publishImage, type RegisterDeps } from './register.ts';
import { familiarName, type ImageRecord, ownBlobs } from './store.ts';
import type { SweepDeps } from './sweep.ts';
import { takeIn } from './take-in.ts';

export interface LoadDeps extends RegisterDeps, SweepDeps {
  /** A folder for spooling, on the disk of the data root. */
  temporary: string;
}

/** How an archive is read: for which platform, and where layers in progress are reported. */
export interface LoadContext {
  spool: ArchiveSpool;
  platform: Platform | undefined;
  report: Report;
  lease: Lease;
  signal: AbortSignal;
}

/** An image found in an archive, not recorded yet, with the canonical names it is to get. */
export interface LoadedImage {
  image: ImageRecord;
  names: { name: string; target?: KeptTarget }[];
  /** Neither lines nor an event tell of it, as of the oldest archives in the reference. */
  silent?: boolean;
}

/** What a name stands for in an archive that says so: an index or a manifest, and the blobs that hang on it. */
export interface KeptTarget {
  descriptor: Descriptor;
  parts: Descriptor[];
  /** Of the parts, those that speak of others of them. */
  referrers: Descriptor[];
}

/**
 * Takes in a docker-archive, also of the oldest kind, or an OCI layout, plain or compressed by gzip or zstd; the last lines name what was loaded.
 * All images of the archive or none. A failure is the last line: in the reference, too, the answer has begun by then.
 */
export async function* loadImages(
  deps: LoadDeps,
  archive: Readable,
  options: { quiet: boolean; platform?: Platform },
  signal: AbortSignal,
): AsyncIterable<ProgressLine> {
  try {
    yield* reportLines((report) => load(deps, archive, options, report, signal));
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    const { message } = WharfError.from(thrown);
    yield { errorDetail: { message }, error: message };
  }
}

function load(
  deps: LoadDeps,
  archive: Readable,
  options: { quiet: boolean; platform?: Platform },
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  return takeIn(deps, async (lease) => {
    await using spool = await ArchiveSpool.read(archive, deps.temporary, signal);
    const reportLayers = options.quiet ? () => {} : report;
    const context = { spool, platform: options.platform, report: reportLayers, lease, signal };
    const loaded = await readImages(deps, context);
    // Who loses a name may lose what was kept for it: looked at again when the lease ends.
    for (const { name } of loaded.flatMap(({ names }) => names)) {
      const holder = deps.images.named(name);
      if (holder) lease.add(...deps.images.blobsOf(holder));
    }
    announce(deps, loaded, report);
  });
}

async function readImages(deps: LoadDeps, context: LoadContext): Promise<LoadedImage[]> {
  const { spool } = context;
  if (spool.file('manifest.json')) return loadDockerArchive(deps, context);
  if (spool.file('index.json')) {
    const loaded = await loadOciLayout(deps, context);
    if (loaded.length > 0) return loaded;
    throw new WharfError('invalid', 'the layout holds no image for this platform');
  }
  if (spool.file('repositories')) return loadOldestArchive(deps, context);
  throw new WharfError(
    'invalid',
    'the archive is neither a docker-archive (manifest.json) nor an OCI layout (index.json)',
  );
}

/** Records an image, its names and what they stand for. Returns who had which name before. */
function keep(deps: LoadDeps, { image, names }: LoadedImage): Map<string, Digest> {
  const before = keepImage(
    deps.images,
    image,
    names.map(({ name, target }) => ({ name, ...(target && { target: target.descriptor }) })),
  );
  const recorded = deps.images.get(image.id) ?? image;
  const own = new Set<string>(ownBlobs(recorded));
  for (const { target } of names) {
    if (!target) continue;
    const { descriptor, parts, referrers } = target;
    if (descriptor.digest === recorded.manifest.digest && referrers.length === 0) continue;
    deps.images.keepIndex({
      digest: descriptor.digest,
      blobs: parts.filter(({ digest }) => !own.has(digest)),
      referrers,
    });
  }
  return before;
}

/** Records all of them at once, then says what was loaded, and what a name was taken from. */
function announce(deps: LoadDeps, loaded: LoadedImage[], report: Report): void {
  const said = deps.images.transaction(() => loaded.map((each) => ({ ...each, before: keep(deps, each) })));
  // The reference ends such an answer with an empty line.
  if (said.length === 0) report({});
  for (const { image, names, before, silent } of said) {
    if (silent) continue;
    for (const { name } of names) {
      const familiar = familiarName(name);
      const old = before.get(name);
      if (old) {
        const text = `The image ${familiar} already exists, renaming the old one with ID ${old} to empty string\n`;
        report({ stream: text });
      }
      report({ stream: `Loaded image: ${familiar}\n` });
    }
    if (names.length === 0) report({ stream: `Loaded image ID: ${image.id}\n` });
    publishImage(deps, image, 'load');
  }
}
