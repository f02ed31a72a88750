import { WharfError } from '../../base/index.ts';
import { formatTag, rotationPolicy } from '../../logs/index.ts';
import type { Task } from '../../runtime/types.ts';
import { compileExpression } from '../filters/index.ts';
import type { RunDeps } from './lifecycle-deps.ts';
import type { ContainerRecord } from './record.ts';

type Logged = Pick<
  ContainerRecord,
  'id' | 'name' | 'imageId' | 'imageRef' | 'path' | 'args' | 'config' | 'hostConfig'
>;

/**
 * Checks what a log's options say, as late as the reference engine does: at the start. Errors: `internal` with its text.
 */
export function checkLogOptions(record: Logged): void {
  const { Type: type = '', Config: options = {} } = record.hostConfig.LogConfig ?? {};
  try {
    rotationPolicy(type, options);
    if (options['tag']) logTag(record, options['tag']);
    for (const name of ['labels-regex', 'env-regex']) if (options[name]) compileExpression(options[name]);
  } catch (thrown) {
    const { message } = WharfError.from(thrown);
    const text = `failed to create task for container: failed to initialize logging driver: ${message}`;
    throw new WharfError('internal', text, { cause: thrown });
  }
}

/** Keeps the log of a running task below its size, until the task ends. */
export function keepLogBounded(deps: Pick<RunDeps, 'logs' | 'store'>, id: string, task: Task): void {
  const { logPath, hostConfig } = deps.store.resolve(id);
  const { Type: type = '', Config: options = {} } = hostConfig.LogConfig ?? {};
  const policy = logPath ? rotationPolicy(type, options) : undefined;
  if (!policy) return;
  const kept = deps.logs.watch(logPath, policy, () => task.reopenLog());
  void task.exited.then(() => kept.close());
}

/** What the `tag` option makes of a container. Errors: `invalid`. */
export function logTag(record: Logged, template: string): string {
  return formatTag(template, {
    id: record.id,
    name: record.name.replace(/^\//, ''),
    imageId: record.imageId,
    imageName: record.imageRef,
    command: [record.path, ...record.args].join(' '),
    daemonName: 'docker',
  });
}
