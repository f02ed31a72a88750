import { abortable, isKind, shortId, WharfError } from '../../base/index.ts';
import type { ContentStore } from '../../content/index.ts';
import type { Descriptor, Digest } from '../../oci/index.ts';
import type { Repository } from '../../registry/types.ts';
import { progressBar, type Report } from '../images/index.ts';
import type { PlannedBlob } from './push-plan.ts';
import type { BlobDestination, Uploads } from './push-uploads.ts';

/** Questions to a registry at once, of one push: they are small, and wait for the network alone. */
const QUESTIONS = 16;
/** Repositories from which a blob is asked to be mounted before it is sent. */
const MOUNT_TRIES = 3;
/** Bytes between two progress lines of a blob, at least; of a large one a hundredth part. */
const STEP = 1 << 19;

/** One push, as its blobs see it. */
export interface BlobPush {
  content: ContentStore;
  uploads: Uploads;
  domain: string;
  repository: Repository;
  /** Repositories of the same registry that hold a blob, the likeliest first. */
  sources: (digest: Digest) => string[];
  /** Digests that the other side is known to have; grows. */
  there: Set<Digest>;
  /** How many blobs go at once: the others are reported as waiting. */
  limit: number;
  report: Report;
}

/**
 * Brings blobs to the other side, unless they are there: mounted where another repository has them, else sent. Reports as
 * the reference does. The first failure stops all of them.
 */
export async function pushBlobs(push: BlobPush, blobs: PlannedBlob[], outer: AbortSignal): Promise<void> {
  const say = (blob: PlannedBlob, status: string) => {
    if (blob.shown) push.report({ status, progressDetail: {}, id: shortId(blob.shown) });
  };
  const unique = [...new Map(blobs.map((blob) => [blob.descriptor.digest, blob])).values()];
  const first = await greet(push, unique, outer);
  for (const blob of blobs) say(blob, 'Preparing');
  const layers = unique.filter(({ shown }) => shown !== undefined);
  for (const blob of layers.slice(push.limit)) say(blob, 'Waiting');
  const ask = questions();
  await allOrNone(unique, outer, async (blob, signal) => {
    const { digest } = blob.descriptor;
    const here = push.there.has(digest);
    if (here || (await (first.get(digest) ?? ask(() => push.repository.statBlob(digest, signal))))) {
      say(blob, 'Layer already exists');
    } else {
      say(blob, await bring(push, blob, signal));
    }
    push.there.add(digest);
    push.uploads.arrived(destination(push, digest));
  });
}

/**
 * The question after the first blob, asked before anything is reported: a registry out of reach is the whole of the answer
 * then, as in the reference. Nor do questions at once each look for their own way in.
 */
async function greet(
  push: BlobPush,
  blobs: PlannedBlob[],
  signal: AbortSignal,
): Promise<Map<Digest, ReturnType<Repository['statBlob']>>> {
  const digest = blobs.map(({ descriptor }) => descriptor.digest).find((one) => !push.there.has(one));
  if (digest === undefined) return new Map();
  const answer = push.repository.statBlob(digest, signal);
  await answer.catch((thrown: unknown) => {
    if (isKind(thrown, 'unavailable')) throw thrown;
  });
  return new Map([[digest, answer]]);
}

/** Of these blobs, those that the other side does not have. */
export async function absentBlobs(
  push: BlobPush,
  blobs: readonly Descriptor[],
  signal: AbortSignal,
): Promise<Descriptor[]> {
  const absent: Descriptor[] = [];
  const ask = questions();
  await allOrNone(blobs, signal, async (blob, stop) => {
    if (await ask(() => push.repository.statBlob(blob.digest, stop))) push.there.add(blob.digest);
    else absent.push(blob);
  });
  return absent;
}

/** What to say when it is there. */
async function bring(push: BlobPush, blob: PlannedBlob, signal: AbortSignal): Promise<string> {
  const { digest } = blob.descriptor;
  const tried = new Set<string>();
  // Looked up anew each time, for pushes at once begin to send what this one lacks.
  for (let from = holder(push, digest, tried); from; from = holder(push, digest, tried)) {
    tried.add(from.path);
    if (!(await abortable(from.ready, signal))) continue;
    if (await mounted(push, digest, from.path, signal)) return `Mounted from ${from.path}`;
  }
  await upload(push, blob, signal);
  return 'Pushed';
}

/** Where to mount from next; undefined when the blob had better be sent. */
function holder(
  push: BlobPush,
  digest: Digest,
  tried: Set<string>,
): { path: string; ready: Promise<boolean> } | undefined {
  if (tried.size >= MOUNT_TRIES) return undefined;
  const known = push.uploads.holders(destination(push, digest)).find(({ path }) => !tried.has(path));
  if (known) return known;
  const path = push.sources(digest).find((source) => !tried.has(source));
  return path === undefined ? undefined : { path, ready: Promise.resolve(true) };
}

function destination(push: BlobPush, digest: Digest): BlobDestination {
  return { domain: push.domain, path: push.repository.path, digest };
}

/** A registry that would not mount, or an origin that this user may not read, is no failure: the blob is sent then. */
async function mounted(push: BlobPush, digest: Digest, from: string, signal: AbortSignal): Promise<boolean> {
  try {
    return await push.repository.mountBlob(digest, from, signal);
  } catch (thrown) {
    if (isKind(thrown, 'cancelled') || isKind(thrown, 'unavailable')) throw thrown;
    return false;
  }
}

async function upload(push: BlobPush, blob: PlannedBlob, signal: AbortSignal): Promise<void> {
  const { descriptor } = blob;
  const to = destination(push, descriptor.digest);
  const source = { descriptor, open: (start: number) => push.content.open(descriptor.digest, { start }) };
  const sent = sentReport(push.report, blob);
  for (;;) {
    let mine = false;
    const send = (tell: (bytes: number) => void, stop: AbortSignal) => {
      mine = true;
      return push.repository.uploadBlob(source, tell, stop);
    };
    try {
      return await push.uploads.share(to, send, sent, signal);
    } catch (thrown) {
      // What stopped somebody else's upload, his rights for one, need not stop ours.
      if (mine || signal.aborted) throw thrown;
    }
  }
}

function sentReport(report: Report, { descriptor, shown }: PlannedBlob): (bytes: number) => void {
  if (shown === undefined) return () => {};
  const total = descriptor.size;
  const step = Math.max(STEP, total / 100);
  const id = shortId(shown);
  let said = Number.NEGATIVE_INFINITY;
  return (current) => {
    if (current - said < step && (current < total || said === current)) return;
    said = current;
    const progress = progressBar(current, total);
    report({ status: 'Pushing', progressDetail: { current, total }, progress, id });
  };
}

/** Runs questions, at most so many at once. */
function questions(): <T>(question: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let active = 0;
  return async (question) => {
    if (active >= QUESTIONS) await new Promise<void>((resolve) => waiting.push(resolve));
    else active++;
    try {
      return await question();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else active--;
    }
  };
}

/** Runs `work` over all items at once; the first failure aborts the others, and is thrown once all have ended. */
async function allOrNone<T>(
  items: readonly T[],
  outer: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const failures: unknown[] = [];
  await Promise.all(
    items.map((item) =>
      work(item, signal).catch((thrown: unknown) => {
        failures.push(thrown);
        stop.abort(new WharfError('cancelled', 'another part of the push failed'));
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}
