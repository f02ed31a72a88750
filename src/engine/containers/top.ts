import { execFile } from 'node:child_process';
import type { ContainerTopResponse } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { publishContainerEvent } from './container-events.ts';
import type { CoreDeps } from './lifecycle-deps.ts';
import { isRestarting, notRunning } from './state-texts.ts';

const MAX_OUTPUT = 64 * 1024 * 1024;

/** Runs the host's `ps`; rejects with its first line of complaint. Never a program of the container (threat: a container's own `ps`). */
export type RunPs = (args: string[]) => Promise<string>;

/** Processes of a container as the host's `ps` shows them, limited to the container's pids. Errors: `conflict` when it does not run, `internal` with the complaint of `ps`, as Docker answers. */
export async function topContainer(
  deps: Pick<CoreDeps, 'store' | 'live' | 'events'> & { ps?: RunPs },
  ref: string,
  psArgs: string,
): Promise<ContainerTopResponse> {
  const args = (psArgs || '-ef').split(/\s+/).filter(Boolean);
  refuseAliases(psArgs);
  const record = deps.store.resolve(ref);
  if (record.state.status === 'restarting') throw isRestarting(record);
  const task = deps.live.task(record.id);
  if (!task) throw notRunning(record);
  const pids = new Set(await task.pids());
  const answer = parsePs(await (deps.ps ?? hostPs)(args), pids);
  publishContainerEvent(deps.events, record, 'top');
  return answer;
}

/** Columns and rows of `ps` output whose PID column is one of `pids`; the last column keeps its blanks. Errors: `internal` without that column. */
export function parsePs(output: string, pids: ReadonlySet<number>): ContainerTopResponse {
  const [head = '', ...rows] = output.split('\n');
  const Titles = head.split(/\s+/).filter(Boolean);
  const pidAt = Titles.indexOf('PID');
  if (pidAt < 0) throw new WharfError('internal', "Couldn't find PID field in ps output");
  const Processes: string[][] = [];
  let taken = false;
  for (const row of rows) {
    const fields = row.split(/\s+/).filter(Boolean);
    if (fields.length === 0) continue;
    // With threads shown, `-` stands for the pid of the row above.
    taken = fields[pidAt] === '-' ? taken : pids.has(Number(fields[pidAt]));
    if (!taken) continue;
    const last = Titles.length - 1;
    Processes.push([...fields.slice(0, last), fields.slice(last).join(' ')]);
  }
  return { Titles, Processes };
}

/** A renamed column would hide which one holds the pids. */
function refuseAliases(psArgs: string): void {
  const alias = /\s+(\S*=\s*PID\S*)/.exec(psArgs)?.[1];
  if (alias) throw new WharfError('internal', `specifying "${alias}" is not allowed`);
}

const hostPs: RunPs = (args) =>
  new Promise((resolve, reject) => {
    const options = { maxBuffer: MAX_OUTPUT, env: { PATH: '/usr/bin:/bin', LANG: 'C' } };
    execFile('ps', args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const complaint = stderr.split('\n').find((line) => line !== '') ?? error.message;
      reject(new WharfError('internal', `ps: ${complaint}`, { cause: error }));
    });
  });
