import { GrowingFile } from '../../archive/index.ts';
import { isKind } from '../../base/index.ts';
import {
  type ImageLayer,
  inChain,
  type LayerToMake,
  type LayerUnpacker,
  makeLayer,
} from '../images/index.ts';
import { RESTARTED, type Transfer } from './fetch.ts';
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

/** Fetches and makes the layers of an image, all at once: each is unpacked while it comes in. */
export async function pullLayers(
  session: PullSession,
  layers: LayerToMake[],
  signal: AbortSignal,
): Promise<ImageLayer[]> {
  const plans = await Promise.all(layers.map((layer) => planOf(session, layer)));
  for (const { progress, blobHere, layerHere } of plans) {
    if (blobHere && layerHere) progress.exists();
    else progress.pulling();
  }
  return inChain(plans, signal, (plan, below, either) => pullLayer(session, plan, below, either));
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
  const { layer, progress } = plan;
  const transfer = plan.blobHere ? undefined : session.fetch(layer.blob, progress, signal);
  const arrived = arrival(plan, transfer);
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
      // Nonsense in a blob that is wrong anyway: what the fetch says of it is the better word.
      if (isKind(thrown, 'corrupt')) await arrived;
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
