import { WharfError } from '../../base/index.ts';
import type { LogQuery, LogReader } from '../../logs/types.ts';
import type { CoreDeps } from './lifecycle-deps.ts';
import { pickedAttributes } from './log-attributes.ts';
import { isLogReadable, logTag } from './log-options.ts';
import type { LogOutput, LogsInput } from './session.ts';

/**
 * What a container printed. `follow` goes on until it ends; of one that does not run, it ends with the log. Errors:
 * `invalid` when no stream is asked for, `not-implemented` when the log
 * is not kept.
 */
export async function containerLogs(
  deps: Pick<CoreDeps, 'store' | 'live'> & { logs: Pick<LogReader, 'encode'> },
  ref: string,
  input: LogsInput,
  signal: AbortSignal,
): Promise<LogOutput> {
  const record = deps.store.resolve(ref);
  if (!input.stdout && !input.stderr) {
    throw new WharfError('invalid', 'Bad parameters: you must choose at least one stream');
  }
  if (!isLogReadable(record)) {
    throw new WharfError('not-implemented', 'configured logging driver does not support reading');
  }
  const live = deps.live.get(record.id);
  const { promise: ended, resolve } = Promise.withResolvers<unknown>();
  const follows = input.follow && live?.task !== undefined;
  // Registered before the first read: an exit between finding and following must end the follow.
  const withdraw = follows ? live.addWaiter('next-exit', resolve) : () => undefined;
  const leave = () => {
    signal.removeEventListener('abort', leave);
    withdraw();
  };
  // A client that goes before the first read never begins the output, whose end would withdraw the waiter.
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  const tty = record.config.Tty === true;
  // Without any, a blank stands before each line, as with the reference engine.
  const details = input.details ? `${logDetails(record)} ` : '';
  const format = { framed: !tty, timestamps: input.timestamps, details };
  const query = queryOf(input, follows ? ended : undefined);
  return { tty, output: leaving(deps.logs.encode(record.logPath, query, format, signal), leave) };
}

function queryOf(input: LogsInput, ended: Promise<unknown> | undefined): LogQuery {
  const query: LogQuery = { stdout: input.stdout, stderr: input.stderr };
  if (input.since !== undefined) query.since = input.since;
  if (input.until !== undefined) query.until = input.until;
  if (input.tail !== undefined) query.tail = input.tail;
  if (ended) query.follow = { ended };
  return query;
}

async function* leaving(output: AsyncIterable<Buffer>, leave: () => unknown): AsyncGenerator<Buffer> {
  try {
    yield* output;
  } finally {
    leave();
  }
}

/** Labels and environment that the log options `labels`, `labels-regex`, `env`, `env-regex` and `tag` pick, as `details` shows them. */
export function logDetails(record: Parameters<typeof logTag>[0]): string {
  const { Type: type = '', Config: options = {} } = record.hostConfig.LogConfig ?? {};
  // What is read of a log that went to a server has none, and `local` never has any.
  if (type !== 'json-file') return '';
  const picked = pickedAttributes(record.config, options);
  if (options['tag']) picked.set('tag', logTag(record, options['tag']));
  return [...picked]
    .map(([key, value]) => `${queryEscape(key)}=${queryEscape(value)}`)
    .sort()
    .join(',');
}

/** As Go's url.QueryEscape, which Docker uses here. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
