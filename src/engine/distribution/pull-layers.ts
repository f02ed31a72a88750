import { GrowingFile } from '../../archive/index.ts';
import { isKind } from '../../base/index.ts';
import {
  type ImageLayer,
  inChain,
  type LayerToMake,
  type LayerUnpacker,
  makeLayer,
} from '../images/index.ts';
import type { Transfer } from './fetch.ts';
import { RESTARTED } from './fetch-failures.ts';
import { failedLayer, layersMismatch } from './pull-failures.ts';
import { LayerProgress } from './pull-progress.ts';
import type { PullSession } from './pull-session.ts';

/** A layer, and what of it is here. */
interface LayerPlan {
  layer: LayerToMake;
  progress: LayerProgress;
  blobHere: boolean;
  layerHere: boolean;
}

/**
 * Fetches and makes the layers of an image, all at once: each is unpacked while it comes in. Of those of a `known` image
 * nothing is said when all are here.
 */
export async function pullLayers(
  session: PullSession,
  layers: LayerToMake[],
  known: boolean,
  signal: AbortSignal,
): Promise<ImageLayer[]> {
  const plans = await Promise.all(layers.map((layer) => planOf(session, layer)));
  const nothingToDo = plans.every(({ blobHere, layerHere }) => blobHere && layerHere);
  for (const { progress, blobHere, layerHere } of plans) {
    if (!blobHere || !layerHere) progress.pulling();
    else if (!nothingToDo || !known) progress.exists();
  }
  return inChain(
    plans,
    signal,
    (plan, below, either) => pullLayer(session, plan, below, either),
    // The records of all half-made layers are synced to the disk at once.
    (begin) => session.deps.images.transaction(begin),
  );
}

async function planOf(session: PullSession, layer: LayerToMake): Promise<LayerPlan> {
  const { deps, lease, report } = session;
  const { chainId, blob } = layer;
  lease.add(chainId, blob.digest);
  const found = await deps.content.stat(blob.digest);
  return {
    layer,
    progress: new LayerProgress(report, deps.clock, blob),
    blobHere: found?.size === blob.size,
    layerHere: deps.snapshots.stat(chainId)?.kind === 'layer',
  };
}

async function pullLayer(
  session: PullSession,
  plan: LayerPlan,
  below: Promise<unknown>,
  signal: AbortSignal,
): Promise<ImageLayer> {
  const own = new AbortController();
  const fetch = fetchLayer(session, plan, AbortSignal.any([signal, own.signal]));
  try {
    return await makeFetched(session, plan, fetch, below, signal);
  } catch (thrown) {
    own.abort();
    // Until it ended the blob may still come, and must find its lease.
    await fetch.arrived.catch(() => {});
    throw thrown;
  }
}

/** The blob of a layer on its way; without a transfer it is here. */
interface LayerFetch {
  transfer: Transfer | undefined;
  arrived: Promise<void>;
}

function fetchLayer(session: PullSession, plan: LayerPlan, signal: AbortSignal): LayerFetch {
  const transfer = plan.blobHere ? undefined : session.fetch(plan.layer.blob, plan.progress, signal);
  return { transfer, arrived: arrival(plan, transfer) };
}

async function makeFetched(
  session: PullSession,
  plan: LayerPlan,
  { transfer, arrived }: LayerFetch,
  below: Promise<unknown>,
  signal: AbortSignal,
): Promise<ImageLayer> {
  const { layer, progress } = plan;
  // Its place in the chain is taken only when the blob proved right, too.
  const ready = Promise.all([below, arrived]);
  ready.catch(() => {});
  for (;;) {
    const restarts = transfer?.restarts;
    try {
      const deps = { ...session.deps, unpack: worded(session.deps.unpack) };
      const taking = { lease: session.lease, signal };
      const made = await makeLayer(deps, layer, taking, {
        below: ready,
        arrived,
        ...(transfer ? { source: () => transfer.source() } : {}),
        onProgress: (bytes) => progress.extracting(bytes),
      });
      // The layer was here, and only its blob was wanted.
      await arrived;
      if (!plan.blobHere || !plan.layerHere) progress.pulled();
      return made;
    } catch (thrown) {
      if (thrown === RESTARTED) continue;
      // Nonsense in a blob that is wrong anyway: what the fetch says of it is the better word. Nor may what somebody left half
      // fetched, a lie perhaps, end each pull that goes on with it: in the end it is dropped, and fetched anew.
      if (isKind(thrown, 'corrupt') || isKind(thrown, 'invalid')) await arrived;
      if (transfer?.restarts === restarts) throw thrown;
    }
  }
}

async function arrival(plan: LayerPlan, transfer: Transfer | undefined): Promise<void> {
  await transfer?.arrived;
  if (!plan.blobHere || !plan.layerHere) plan.progress.downloaded();
}

/** Unpacks with Docker's texts for what goes wrong; what a growing file failed with is not the unpacking's. */
function worded(unpack: LayerUnpacker): LayerUnpacker {
  return async ({ expectedDiffId, ...request }, signal) => {
    const { source } = request;
    const result = await unpack(request, signal).catch((thrown: unknown) => {
      const passed = source instanceof GrowingFile && source.failure?.reason === thrown;
      throw passed || isKind(thrown, 'cancelled') ? thrown : failedLayer(thrown);
    });
    if (expectedDiffId !== undefined && result.diffId !== expectedDiffId) throw layersMismatch();
    return result;
  };
}
