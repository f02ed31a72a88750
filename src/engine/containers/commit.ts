import type { ContainerConfig } from '../../api/index.ts';
import { packTree } from '../../archive/index.ts';
import { isKind } from '../../base/index.ts';
import type { ExecutionConfig } from '../../oci/types.ts';
import type { Snapshotter } from '../../snapshot/types.ts';
import { applyChanges, familiarName, type ImageCommit, targetName } from '../images/index.ts';
import { publishContainerEvent } from './container-events.ts';
import { refuseGoing } from './export.ts';
import { mergeImageConfig } from './image-config.ts';
import type { CoreDeps } from './lifecycle-deps.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import type { ContainerRecord } from './record.ts';

export interface CommitDeps extends CoreDeps {
  snapshotter: Pick<Snapshotter, 'directory'>;
  /** Makes an image of a tar and a config, all on the disk when it returns. */
  commitImage: (commit: ImageCommit, signal: AbortSignal) => Promise<{ id: string }>;
  /** Of this engine: images of Docker tell which made them. */
  version: string;
}

/** What is asked of a commit. */
export interface CommitInput {
  ref: string;
  repo: string;
  tag: string;
  author: string;
  comment: string;
  /** Dockerfile instructions. */
  changes: string[];
  pause: boolean;
  /** In place of the container's config, which completes it. */
  config?: ContainerConfig | undefined;
  /** When it counts as made, in nanoseconds since 1970. What tells of the container alone is left out then. */
  timeNs?: bigint | undefined;
}

/**
 * Makes an image of what a container changed; mounts have no part in it. A running container is paused meanwhile if that is
 * asked. Errors: `not-found`, `invalid` name or change, `conflict` for a container that is going, and those of the image.
 */
export async function commitContainer(
  deps: CommitDeps,
  input: CommitInput,
  signal: AbortSignal,
): Promise<{ id: string }> {
  const name = targetName(input.repo, input.tag);
  const record = deps.store.resolve(input.ref);
  refuseGoing(deps, record, 'commit');
  const config = imageConfig(record.config, input);
  const paused = input.pause && (await pausedForCommit(deps, record));
  try {
    const commit: ImageCommit = {
      parent: record.imageId,
      tar: changesTar(deps, record, input.timeNs, signal),
      config: input.timeNs === undefined ? (config as ExecutionConfig) : bare(config),
      author: input.author,
      comment: input.comment,
      createdBy: (record.config.Cmd ?? []).join(' '),
      name,
      timeNs: input.timeNs,
      origin: input.timeNs === undefined ? originOf(record, deps.version) : {},
    };
    const { id } = await deps.commitImage(commit, signal);
    publishContainerEvent(deps.events, record, 'commit', {
      comment: input.comment,
      imageID: id,
      imageRef: name ? familiarName(name) : '',
    });
    return { id };
  } finally {
    if (paused) await goOn(deps, record);
  }
}

async function* changesTar(
  deps: CommitDeps,
  record: ContainerRecord,
  clampTimeNs: bigint | undefined,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const rules = { mode: 'overlay-upper', wholeSeconds: true, clampTimeNs } as const;
  yield* packTree(deps.snapshotter.directory(record.id), rules, signal);
  // Files that went while it was packed are missing in it.
  refuseGoing(deps, record, 'commit');
}

/** True when it was paused, for `goOn`. One that does not run, or can't be paused, is committed as it is, as in Docker. */
async function pausedForCommit(deps: CommitDeps, record: ContainerRecord): Promise<boolean> {
  const { state } = record;
  if (state.status !== 'running' || !deps.live.get(record.id)?.task) return false;
  state.pausedForCommit = true;
  // Before it is frozen: whoever finds it so after a crash must know why.
  deps.store.save(record);
  try {
    await pauseContainer(deps, record.id);
    return true;
  } catch (thrown) {
    deps.log.warn('committed without a pause', { container: record.id, error: thrown });
    delete state.pausedForCommit;
    if (deps.store.get(record.id) === record) deps.store.save(record);
    return false;
  }
}

/** Somebody else may have ended the pause, or the container. */
async function goOn(deps: CommitDeps, record: ContainerRecord): Promise<void> {
  if (!record.state.pausedForCommit) return;
  try {
    await unpauseContainer(deps, record.id);
  } catch (thrown) {
    // It may have been removed by force meanwhile.
    if (!isKind(thrown, 'not-found'))
      deps.log.warn('a container did not go on after its commit', { container: record.id, error: thrown });
  } finally {
    delete record.state.pausedForCommit;
  }
}

function imageConfig(own: ContainerConfig, { config, changes }: CommitInput): ContainerConfig {
  const made = structuredClone(config ?? own);
  applyChanges(made as ExecutionConfig, changes);
  mergeImageConfig(made, own as ExecutionConfig);
  return ordered(made);
}

/** The fields that Docker writes in any case, in its order, then the others that are set. */
function ordered(config: ContainerConfig): ContainerConfig {
  const always: Record<string, unknown> = {
    Hostname: '',
    Domainname: '',
    User: '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: null,
    Cmd: null,
    Image: '',
    Volumes: null,
    WorkingDir: '',
    Entrypoint: null,
    OnBuild: null,
    Labels: null,
  };
  const set = Object.entries(config).filter(([, value]) => value !== undefined && value !== null);
  return { ...always, ...Object.fromEntries(set) };
}

/** What tells of one container, and not of what it runs. */
const OF_THE_CONTAINER = new Set([
  'Hostname',
  'Domainname',
  'AttachStdin',
  'AttachStdout',
  'AttachStderr',
  'Tty',
  'OpenStdin',
  'StdinOnce',
  'Image',
  'MacAddress',
  'NetworkDisabled',
]);

/** What an image says of how to run it, maps sorted: the same for each container of the same kind. */
function bare(config: ContainerConfig): ExecutionConfig {
  const kept = Object.entries(config).filter(([key]) => !OF_THE_CONTAINER.has(key));
  const sorted = kept.map(([key, value]): [string, unknown] => {
    const isMap = value !== null && typeof value === 'object' && !Array.isArray(value);
    const entries = isMap ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)) : [];
    return [key, isMap ? Object.fromEntries(entries) : value];
  });
  return Object.fromEntries(sorted.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function originOf(record: ContainerRecord, version: string): Record<string, unknown> {
  return {
    container: record.id,
    container_config: ordered(record.config),
    docker_version: version,
  };
}
