import { endRun, noteByHand, signalTask } from './end-run.ts';
import type { CoreDeps } from './lifecycle-deps.ts';
import type { ContainerRecord } from './record.ts';
import { parseSignal, SIGKILL, stopSignalOf } from './signals.ts';
import { notRunning, prefixed } from './state-texts.ts';

/**
 * Sends a signal. One that is meant to end the container (SIGKILL, its stop signal, or any when it names none) counts as
 * a stop by hand. For SIGKILL it answers when the exit is recorded. Errors: `conflict` when it does not run, `invalid` signal.
 */
export async function killContainer(deps: CoreDeps, ref: string, signalName: string): Promise<void> {
  try {
    const signal = parseSignal(signalName || 'SIGKILL');
    const record = deps.store.resolve(ref);
    await kill(deps, record, signal);
  } catch (thrown) {
    throw prefixed(`cannot kill container: ${ref}`, thrown);
  }
}

async function kill(deps: CoreDeps, record: ContainerRecord, signal: number): Promise<void> {
  const live = deps.live.of(record.id);
  if (live.settleUnclear) await live.settleUnclear(false);
  if (record.state.status === 'restarting') {
    await endRun(deps, record, { timeoutSeconds: 0 }, true);
    return;
  }
  let handled: Promise<void> | undefined;
  await deps.store.withLock(record.id, async (locked) => {
    if (!live.task) throw notRunning(locked);
    handled = live.exitHandled;
    const ends = endsContainer(locked, signal);
    if (ends) noteByHand(deps, locked);
    await signalTask(deps, locked, live, signal, ends);
  });
  if (signal === SIGKILL) await handled;
}

function endsContainer(record: ContainerRecord, signal: number): boolean {
  const { config } = record;
  return !config.StopSignal || signal === SIGKILL || stopSignalOf(config) === signal;
}
