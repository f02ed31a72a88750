import type { Readable } from 'node:stream';
import { shortId, WharfError } from '../../base/index.ts';
import type { Platform } from '../../oci/index.ts';
import { ArchiveSpool } from './archive-spool.ts';
import { loadDockerArchive } from './load-docker-archive.ts';
import { loadOciLayout } from './load-oci-layout.ts';
import { nameImage, publishImage, type RegisterDeps } from './register.ts';
import { familiarName, type ImageLayer, type ImageRecord } from './store.ts';
import type { SweepGate } from './sweep.ts';

export interface LoadDeps extends RegisterDeps {
  gate: SweepGate;
  /** A folder for spooling, on the disk of the data root. */
  temporary: string;
}

/** A line of a progress stream, as clients print it. */
export type ProgressLine = Record<string, unknown>;

/** An image found in an archive, with the canonical names it is to get. */
export interface LoadedImage {
  image: ImageRecord;
  names: string[];
}

/** Takes progress lines from deep inside and hands them out one by one. */
export type Report = (line: ProgressLine) => void;

/**
 * Takes in a docker-archive or an OCI layout, plain or compressed by gzip or zstd. The last lines name what was loaded.
 * Errors: `invalid` for archives of neither kind; nothing is named then.
 */
export async function* loadImages(
  deps: LoadDeps,
  archive: Readable,
  options: { quiet: boolean; platform?: Platform },
  signal: AbortSignal,
): AsyncIterable<ProgressLine> {
  const lines: ProgressLine[] = [];
  const report: Report = (line) => lines.push(line);
  const seen = layerReporter(report, options.quiet);
  const loaded = await deps.gate.hold(async () => {
    await using spool = await ArchiveSpool.read(archive, deps.temporary, signal);
    const images = await readImages(deps, spool, seen, options.platform, signal);
    for (const { image, names } of images) announce(deps, image, names, report);
    return images;
  });
  if (loaded.length === 0) throw new WharfError('invalid', 'the archive holds no image for this platform');
  yield* lines;
}

async function readImages(
  deps: LoadDeps,
  spool: ArchiveSpool,
  onLayer: (layer: ImageLayer) => void,
  platform: Platform | undefined,
  signal: AbortSignal,
): Promise<LoadedImage[]> {
  if (spool.file('manifest.json')) return loadDockerArchive(deps, spool, onLayer, platform, signal);
  if (spool.file('index.json')) return loadOciLayout(deps, spool, onLayer, platform, signal);
  throw new WharfError(
    'invalid',
    'the archive is neither a docker-archive (manifest.json) nor an OCI layout (index.json)',
  );
}

/** Names an image, saying what a name was taken from, then says that it is loaded. */
function announce(deps: LoadDeps, image: ImageRecord, names: string[], report: Report): void {
  for (const name of names) {
    const familiar = familiarName(name);
    const before = nameImage(deps, image, name);
    if (before) {
      const text = `The image ${familiar} already exists, renaming the old one with ID ${before} to empty string\n`;
      report({ stream: text });
    }
    report({ stream: `Loaded image: ${familiar}\n` });
  }
  if (names.length === 0) report({ stream: `Loaded image ID: ${image.id}\n` });
  publishImage(deps, image, 'load');
}

/** Layer lines as the reference prints them: one a layer, when it is in. */
function layerReporter(report: Report, quiet: boolean): (layer: ImageLayer) => void {
  return (layer) => {
    if (quiet) return;
    const progressDetail = { current: layer.bytes, total: layer.bytes };
    report({ status: 'Loading layer', progressDetail, id: shortId(layer.diffId) });
  };
}
