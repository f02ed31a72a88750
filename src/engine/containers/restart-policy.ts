import type { RestartPolicy } from '../../api/index.ts';
import type { ContainerRecord } from './record.ts';

const FIRST_MS = 100;
const MAX_MS = 60_000;
/** A run that lasted this long begins the back-off anew. */
const RESET_AFTER_MS = 10_000;

/** Whether a container that has ended is to be started again. A stop or kill by a person always wins. */
export function wantsRestart(
  policy: RestartPolicy | undefined,
  state: Pick<ContainerRecord['state'], 'exitCode' | 'manuallyStopped' | 'restartCount'>,
): boolean {
  if (state.manuallyStopped) return false;
  const name: string | undefined = policy?.Name;
  switch (name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure': {
      const most = policy?.MaximumRetryCount ?? 0;
      return state.exitCode !== 0 && (most === 0 || state.restartCount < most);
    }
    default:
      return false;
  }
}

/** Whether a container that does not run is started with the daemon: `always` also after a stop by hand. */
export function wantsStartWithDaemon(record: Pick<ContainerRecord, 'hostConfig' | 'state'>): boolean {
  const policy = record.hostConfig.RestartPolicy;
  const name: string | undefined = policy?.Name;
  if (!record.state.hasStarted) return false;
  return name === 'always' || wantsRestart(policy, record.state);
}

/** The next back-off in milliseconds: doubling from 100 ms to a minute, anew after a run of ten seconds. */
export function nextBackoff(previousMs: number, ranMs: number): number {
  if (previousMs === 0 || ranMs >= RESET_AFTER_MS) return FIRST_MS;
  return Math.min(previousMs * 2, MAX_MS);
}
