import { deadline, isKind } from '../../base/index.ts';
import { endRun, killTask } from './end-run.ts';
import type { CoreDeps } from './lifecycle-deps.ts';
import type { LiveContainer } from './live.ts';

/**
 * Ends the lifecycle with the daemon. With `keepRunning` (live-restore) containers go on and only timers end; else all
 * are stopped at once with their own grace, at most `timeoutSeconds` (negative: no limit), then killed. Restart
 * policies keep their say for the next daemon.
 */
export async function shutdownContainers(
  deps: CoreDeps,
  options: { keepRunning: boolean; timeoutSeconds: number },
): Promise<void> {
  deps.live.shuttingDown = true;
  for (const entry of deps.live.all()) {
    entry.health?.stop();
    entry.cancelRestart();
  }
  if (!options.keepRunning) {
    await Promise.all(deps.live.running().map((entry) => endOne(deps, entry, options.timeoutSeconds)));
  }
  await deps.live.settled();
}

async function endOne(deps: CoreDeps, entry: LiveContainer, timeoutSeconds: number): Promise<void> {
  const record = deps.store.get(entry.id);
  if (!record) return;
  try {
    const ended = endRun(deps, record, {}, false);
    if (timeoutSeconds < 0) await ended;
    else await deadline(timeoutSeconds * 1000, 'stopping the container', ended);
  } catch (thrown) {
    if (!isKind(thrown, 'timeout'))
      deps.log.warn('container not stopped', { container: entry.id, error: thrown });
    await killTask(deps, record, entry).catch((again: unknown) => {
      deps.log.error('container not killed', { container: entry.id, error: again });
    });
  }
}
