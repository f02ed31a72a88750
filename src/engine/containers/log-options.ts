import { WharfError } from '../../base/index.ts';
import {
  formatTag,
  isRemote,
  isShipped,
  type LogSource,
  rotationPolicy,
  tryLogServer,
} from '../../logs/index.ts';
import type { RotationHold, RotationPolicy } from '../../logs/types.ts';
import type { Task } from '../../runtime/types.ts';
import { compileExpression } from '../filters/index.ts';
import type { RunDeps } from './lifecycle-deps.ts';
import { pickedAttributes } from './log-attributes.ts';
import type { ContainerRecord } from './record.ts';

type Logged = Pick<
  ContainerRecord,
  'id' | 'name' | 'imageId' | 'imageRef' | 'path' | 'args' | 'config' | 'hostConfig' | 'created' | 'logPath'
>;

const DEFAULT_TAG = '{{.ID}}';
/** How much is held of a log that may not be kept, while its server takes nothing. */
const UNCACHED: RotationPolicy = { maxBytes: 4 * 1024 * 1024, maxFiles: 1, compress: false };

/**
 * Checks what a log's options say, as late as the reference engine does: at the start. Errors: `internal` with its text.
 */
export function checkLogOptions(record: Logged): void {
  const { type, options } = logConfig(record);
  try {
    rotationPolicy(type, options);
    if (type === 'none' || type === 'local') return;
    if (options['tag']) logTag(record, options['tag']);
    // What the reference engine does not need for syslog, it does not look at.
    if (type === 'syslog') return;
    for (const name of ['labels-regex', 'env-regex']) checkExpression(options[name]);
  } catch (thrown) {
    throw startFailure(thrown);
  }
}

function checkExpression(pattern: string | undefined): void {
  if (!pattern || compileExpression(pattern)) return;
  const text = `error parsing regexp: missing closing ): \`${pattern}\``;
  throw new WharfError('invalid', text);
}

function startFailure(thrown: unknown): WharfError {
  const { message } = WharfError.from(thrown);
  const text = `failed to create task for container: failed to initialize logging driver: ${message}`;
  return new WharfError('internal', text, { cause: thrown });
}

/**
 * Tries the log server of a container that somebody starts. A run that its restart policy asks for does not depend on
 * it: its lines wait. Errors: `internal` with the reference's text.
 */
export async function checkLogServer(
  record: ContainerRecord,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { type, options } = logConfig(record);
  if (!isRemote(type) || record.state.status === 'restarting') return;
  try {
    await tryLogServer(type, options, logSource(record), signal ?? new AbortController().signal);
  } catch (thrown) {
    throw startFailure(thrown);
  }
}

/** Keeps the log of a running task below its size, and sends it to its server, until the task ends. */
export function keepLog(deps: Pick<RunDeps, 'logs' | 'store'>, id: string, task: Task): void {
  const record = deps.store.resolve(id);
  const { logPath } = record;
  if (!logPath) return;
  const { type, options } = logConfig(record);
  const hold = isRemote(type) ? shipLog(deps, record) : undefined;
  const policy = withHold(options['cache-disabled'] && hold ? UNCACHED : rotationPolicy(type, options), hold);
  const reopen = () => task.reopenLog();
  const kept = deps.logs.watch(logPath, policy, reopen, task.monitorPid);
  void task.exited.then(() => {
    deps.logs.finish(logPath);
    return kept.close();
  });
}

/** A log that may grow without end is watched for what a full disk takes of it. */
function withHold(policy: RotationPolicy | undefined, hold: RotationHold | undefined): RotationPolicy {
  const bounds = policy ?? { maxBytes: Number.POSITIVE_INFINITY, maxFiles: 1, compress: false };
  return hold ? { ...bounds, hold } : bounds;
}

function shipLog(deps: Pick<RunDeps, 'logs'>, record: ContainerRecord): RotationHold | undefined {
  const { type, options } = logConfig(record);
  return deps.logs.ship({ logPath: record.logPath, driver: type, options, source: logSource(record) });
}

/** Sends what earlier runs printed and an earlier daemon did not get rid of. */
export function shipLeftLogs(deps: Pick<RunDeps, 'logs' | 'store' | 'live'>): void {
  for (const record of deps.store.all()) {
    const { logPath } = record;
    if (!logPath || !isRemote(logConfig(record).type) || deps.live.get(record.id)?.task) continue;
    if (!isShipped(logPath)) continue;
    shipLog(deps, record);
    deps.logs.finish(logPath);
  }
}

/** Whether the log of a container may be read: of `none` there is none, and what goes to a server need not be kept. */
export function isLogReadable({
  hostConfig,
  logPath,
}: Pick<ContainerRecord, 'hostConfig' | 'logPath'>): boolean {
  const { type, options } = logConfig({ hostConfig });
  const kept = !isRemote(type) || !/^(1|t|T|TRUE|true|True)$/.test(options['cache-disabled'] ?? '');
  return logPath !== '' && type !== 'none' && kept;
}

function logConfig({ hostConfig }: Pick<ContainerRecord, 'hostConfig'>) {
  const { Type: type = '', Config: options = {} } = hostConfig.LogConfig ?? {};
  return { type, options };
}

function logSource(record: Logged): LogSource {
  const { options } = logConfig(record);
  return {
    ...namesOf(record),
    created: record.created,
    tag: logTag(record, options['tag'] || DEFAULT_TAG),
    attributes: pickedAttributes(record.config, options),
  };
}

function namesOf(record: Logged) {
  return {
    id: record.id,
    name: record.name.replace(/^\//, ''),
    imageId: record.imageId,
    imageName: record.imageRef,
    command: [record.path, ...record.args].join(' '),
  };
}

/** What the `tag` option makes of a container. Errors: `invalid`. */
export function logTag(record: Logged, template: string): string {
  return formatTag(template, {
    ...namesOf(record),
    entrypoint: record.path,
    args: record.args,
    labels: record.config.Labels ?? {},
    env: record.config.Env ?? [],
    config: logConfig(record).options,
    logPath: record.logPath,
    daemonName: 'docker',
  });
}
