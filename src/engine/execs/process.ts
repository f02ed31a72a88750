import { join } from 'node:path';
import { WharfError } from '../../base/index.ts';
import type { ResolvedUser } from '../../runtime/spec-input.ts';
import type { OciProcess } from '../../runtime/spec-types.ts';
import type { Task } from '../../runtime/types.ts';
import {
  type ContainerRecord,
  type CoreDeps,
  isRestarting,
  notRunning,
  type RunDeps,
} from '../containers/index.ts';

/** What execs use. */
export type ExecDeps = Pick<CoreDeps, 'store' | 'live' | 'events' | 'log'> & Pick<RunDeps, 'specs' | 'paths'>;

/** The running task of a container that may take an exec. `shown`: what the error text calls the container. Errors: `conflict` with Docker's texts. */
export function taskForExec(deps: Pick<ExecDeps, 'live'>, record: ContainerRecord, shown: string): Task {
  if (record.state.status === 'restarting') throw isRestarting(record);
  const task = deps.live.task(record.id);
  if (!task) throw notRunning(record);
  if (record.state.status === 'paused') {
    const text = `Container ${shown} is paused, unpause the container before exec`;
    throw new WharfError('conflict', text);
  }
  return task;
}

/** What differs from the container's own process. */
export interface ExecChoices {
  args: string[];
  env: string[];
  user: string;
  cwd: string;
  tty: boolean;
  privileged: boolean;
  consoleSize?: { height: number; width: number };
}

/** The process of an exec in that container. Errors: `invalid` for an unknown user. */
export function processForExec(deps: ExecDeps, record: ContainerRecord, choices: ExecChoices): OciProcess {
  const container = containerProcess(deps, record);
  const ownUser = choices.user !== '';
  const wanted = ownUser ? choices.user : (record.config.User ?? '');
  return deps.specs.execProcess({
    ...choices,
    container,
    user: userIn(deps, record, wanted),
    ownUser,
    hostConfig: record.hostConfig,
    host: deps.specs.host,
  });
}

function userIn(deps: ExecDeps, record: ContainerRecord, user: string): ResolvedUser {
  const rootfs = join(deps.paths.mounts, record.id);
  return deps.specs.resolveUser(rootfs, user, record.hostConfig.GroupAdd ?? []);
}

/** The container's own process: kept from its start, or assembled again after an adoption. */
function containerProcess(deps: ExecDeps, record: ContainerRecord): OciProcess {
  const kept = deps.live.get(record.id)?.process;
  if (kept) return kept;
  const spec = deps.specs.assembleSpec({
    id: record.id,
    hostname: record.config.Hostname ?? '',
    config: record.config,
    hostConfig: record.hostConfig,
    path: record.path,
    args: record.args,
    rootfs: join(deps.paths.mounts, record.id),
    user: userIn(deps, record, record.config.User ?? ''),
    mounts: [],
    namespaces: {},
    host: deps.specs.host,
    defaults: deps.specs.defaults(),
  });
  if (!spec.process) throw new WharfError('internal', `container ${record.id} has no process to run beside`);
  deps.live.of(record.id).process = spec.process;
  return spec.process;
}
