import { WharfError } from '../../base/index.ts';
import type { LogReader } from '../../logs/types.ts';
import type { TaskStdio } from '../../runtime/types.ts';
import { publishContainerEvent } from './container-events.ts';
import { parseDetachKeys } from './detach-keys.ts';
import type { CoreDeps } from './lifecycle-deps.ts';
import type { LiveContainer } from './live.ts';
import type { ContainerRecord } from './record.ts';
import type { AttachInput, OutputChunk, StdioSession } from './session.ts';
import { isRestarting } from './state-texts.ts';

type AttachDeps = Pick<CoreDeps, 'store' | 'live' | 'events'> & { logs: Pick<LogReader, 'read'> };

/**
 * A client's connection to a container's stdio. One that does not run yet is waited for: a client that attaches before
 * the start misses nothing. With `logs` and `stream` the log is read and followed, so that nothing is lost or doubled
 * between history and presence. Errors: `conflict` while paused or restarting, `invalid` detach keys.
 */
export async function attachContainer(
  deps: AttachDeps,
  ref: string,
  input: AttachInput,
  signal: AbortSignal,
): Promise<StdioSession> {
  // A signal that has fired already tells nobody to let go of what is opened now.
  if (signal.aborted) throw new WharfError('cancelled', 'the request was cancelled');
  const detachKeys = parseDetachKeys(input.detachKeys);
  const record = deps.store.resolve(ref);
  if (record.state.status === 'paused') {
    const text = `container ${ref} is paused, unpause the container before attach`;
    throw new WharfError('conflict', text);
  }
  if (record.state.status === 'restarting') throw isRestarting(record);
  const live = deps.live.of(record.id);
  const closing = new AbortController();
  const close = () => {
    signal.removeEventListener('abort', close);
    closing.abort();
  };
  signal.addEventListener('abort', close, { once: true });
  // Another client may be typing into a stdin that ends with the first connection that goes.
  const { OpenStdin, StdinOnce, Tty } = record.config;
  // A terminal outlives its clients: one that detaches (the stock client does so by leaving) comes back to it.
  const keepInput = OpenStdin === true && StdinOnce === true && (!input.stdin || Tty === true);
  const stdio = input.stream ? connect(live, closing.signal, keepInput) : undefined;
  if (live.task) await stdio;
  publishContainerEvent(deps.events, record, 'attach');
  const output = chooseOutput(deps, record, live, input, stdio, closing.signal);
  return {
    tty: record.config.Tty === true,
    output: closesAfter(output, close),
    input: input.stdin && stdio && OpenStdin ? inputOf(stdio, Tty === true) : undefined,
    detachKeys,
    detach: () => {
      publishContainerEvent(deps.events, record, 'detach');
      close();
    },
    close,
  };
}

/** The connection to the running task, or to the next one; undefined when there will be none. */
function connect(
  live: LiveContainer,
  closing: AbortSignal,
  keepInput: boolean,
): Promise<TaskStdio | undefined> {
  const connecting = live.task ? live.task.attach() : awaitStart(live, closing);
  const letGo = () => void connecting.then((stdio) => stdio?.close({ keepInput })).catch(() => undefined);
  closing.addEventListener('abort', letGo, { once: true });
  // Whoever reads or writes gets the failure; a session that does neither must not crash the daemon.
  connecting.catch(() => undefined);
  return connecting;
}

function awaitStart(live: LiveContainer, closing: AbortSignal): Promise<TaskStdio | undefined> {
  return new Promise((resolve) => {
    const pending = { settle: resolve };
    live.pendingAttaches.add(pending);
    const leave = () => {
      live.pendingAttaches.delete(pending);
      resolve(undefined);
    };
    closing.addEventListener('abort', leave, { once: true });
  });
}

function inputOf(stdio: Promise<TaskStdio | undefined>, tty: boolean): StdioSession['input'] {
  return {
    async write(data) {
      await (await stdio)?.write(data);
    },
    end() {
      if (tty) return;
      void stdio.then((connection) => connection?.closeInput()).catch(() => undefined);
    },
  };
}

function chooseOutput(
  deps: AttachDeps,
  record: ContainerRecord,
  live: LiveContainer,
  input: AttachInput,
  stdio: Promise<TaskStdio | undefined> | undefined,
  closing: AbortSignal,
): AsyncIterable<OutputChunk> {
  const wanted = (stream: OutputChunk['stream']) => (stream === 'stdout' ? input.stdout : input.stderr);
  if (input.logs && record.logPath) {
    if (stdio) void drain(stdio);
    return fromLog(deps, record, live, input, closing);
  }
  return stdio ? fromTask(stdio, wanted) : nothing();
}

async function* fromTask(
  stdio: Promise<TaskStdio | undefined>,
  wanted: (stream: OutputChunk['stream']) => boolean,
): AsyncGenerator<OutputChunk> {
  const connection = await stdio;
  if (!connection) return;
  for await (const frame of connection.output) if (wanted(frame.stream)) yield frame;
}

function fromLog(
  deps: AttachDeps,
  record: ContainerRecord,
  live: LiveContainer,
  input: AttachInput,
  closing: AbortSignal,
): AsyncIterable<OutputChunk> {
  const { stdout, stderr } = input;
  const { promise: ended, resolve } = Promise.withResolvers<unknown>();
  // Registered before the first read: an exit between finding and following must end the follow.
  const leave = live.addWaiter('next-exit', resolve);
  closing.addEventListener('abort', leave, { once: true });
  const follows = input.stream && record.state.status !== 'exited';
  const query = follows ? { stdout, stderr, follow: { ended } } : { stdout, stderr };
  return deps.logs.read(record.logPath, query, closing);
}

async function* nothing(): AsyncGenerator<OutputChunk> {}

/** Takes and drops output that comes by another way, so that the monitor is not held back. */
async function drain(stdio: Promise<TaskStdio | undefined>): Promise<void> {
  try {
    const connection = await stdio;
    if (connection) for await (const _ of connection.output);
  } catch {
    // The connection's end is seen by the log's.
  }
}

async function* closesAfter(
  output: AsyncIterable<OutputChunk>,
  close: () => void,
): AsyncGenerator<OutputChunk> {
  try {
    yield* output;
  } finally {
    close();
  }
}
