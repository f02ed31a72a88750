import { readSync, writeSync } from 'node:fs';
import { WharfError } from '../base/index.ts';
import { type ChildProcessHandle, pipe2, pollFd, spawnProcess } from '../sys/index.ts';

/** A conmon that has answered: the process it watches, and the moment it ends. */
export interface Monitored {
  /** Pid on the host of the process that it watches. */
  pid: number;
  /** Pid of conmon itself. */
  monitorPid: number;
  /** Resolves when the monitor has ended. */
  ended: Promise<void>;
}

/** How a monitor is started. */
export interface MonitorStart {
  conmon: string;
  args: string[];
  /** Where conmon leaves small files: its task's bundle. */
  cwd: string;
  /** Called when output can be attached, before the process runs. */
  onAttachable?: () => void;
  /** Ends the monitor and the runtime that it called. */
  signal?: AbortSignal | undefined;
  /** How long the runtime may take to answer. Milliseconds. */
  answerLimit?: number | undefined;
}

/** What a runtime may take for one step, by default. Milliseconds. */
export const ANSWER_LIMIT = 120_000;

/** Nothing of the daemon's own environment reaches monitors and runtimes. */
export const MONITOR_ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/**
 * Starts conmon and waits for its answer on the sync pipe (`{"data": PID, "message"}`). Errors: `internal` with the
 * runtime's text (empty where it told it to the terminal), `cancelled` by the signal, `timeout` after `answerLimit`; no
 * process is left then.
 */
export async function startMonitor(start: MonitorStart): Promise<Monitored> {
  start.signal?.throwIfAborted();
  const [read, write] = pipe2();
  const gate = start.onAttachable && attachGate(start.onAttachable);
  let child: ChildProcessHandle;
  try {
    child = spawnProcess({
      file: start.conmon,
      // It stays our child until one of the two ends: that saves a fork, and its end is an event.
      args: [...start.args, '--sync'],
      env: { ...MONITOR_ENVIRONMENT, _OCI_SYNCPIPE: '3', ...gate?.env },
      cwd: start.cwd,
      fds: [{ child: 3, parent: write.fd }, ...(gate?.fds ?? [])],
      // A session, and so a process group, of its own: monitor and runtime can be ended together.
      newSession: true,
    });
  } catch (thrown) {
    read.close();
    gate?.close();
    throw thrown;
  } finally {
    write.close();
    gate?.childHasThem();
  }
  const ended = child.exited.then(() => gate?.close());
  const onAbort = () => killGroup(child.pid);
  start.signal?.addEventListener('abort', onAbort, { once: true });
  const deadline = answerDeadline(child.pid, 'runtime', start.answerLimit);
  try {
    const { data, message } = await firstLine(read);
    if (start.signal?.aborted) throw new WharfError('cancelled', 'the start was cancelled');
    deadline.throwIfPassed();
    if (data > 0) return { pid: data, monitorPid: child.pid, ended };
    throw new WharfError('internal', message);
  } catch (thrown) {
    killGroup(child.pid);
    await ended;
    throw start.signal?.aborted ? new WharfError('cancelled', 'the start was cancelled') : thrown;
  } finally {
    deadline[Symbol.dispose]();
    start.signal?.removeEventListener('abort', onAbort);
    read.close();
  }
}

/** Ends a monitor that is our child still, and what it started outside of the container. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The whole group has ended by itself.
  }
}

/** Ends a process group (`what`, by its leader) that has not answered in time. */
export function answerDeadline(pid: number, what: string, limit = ANSWER_LIMIT) {
  let passed = false;
  const timer = setTimeout(() => {
    passed = true;
    killGroup(pid);
  }, limit);
  return {
    /** Errors: `timeout`. */
    throwIfPassed() {
      if (passed) throw new WharfError('timeout', `the ${what} did not answer within ${limit / 1000} s`);
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

type Pipe = ReturnType<typeof pipe2>[0];

/** The first line on a pipe, read as an answer. A negative `data` tells failure, as does an end without any line. */
function firstLine(read: Pipe): Promise<{ data: number; message: string }> {
  const { promise, resolve } = Promise.withResolvers<{ data: number; message: string }>();
  const chunk = Buffer.alloc(16 * 1024);
  let text = '';
  const watch = pollFd(read.fd, { readable: true }, () => {
    let count = 0;
    try {
      count = readSync(read.fd, chunk, 0, chunk.length, null);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EAGAIN') return;
    }
    text += chunk.toString('utf8', 0, count);
    if (count > 0 && !text.includes('\n')) return;
    watch[Symbol.dispose]();
    resolve(parseAnswer(text));
  });
  return promise;
}

/** Reads conmon's answer; what is no answer is a failure with that text. */
export function parseAnswer(text: string): { data: number; message: string } {
  const line = text.split('\n', 1)[0] ?? '';
  try {
    const { data, message } = JSON.parse(line) as { data?: unknown; message?: unknown };
    if (typeof data === 'number') return { data, message: typeof message === 'string' ? message.trim() : '' };
  } catch {
    // Falls through: the text itself is all that is known.
  }
  return { data: -1, message: line };
}

/**
 * Holds an exec back until its output is attached: conmon (`--exec-attach`) takes one byte to begin, says on
 * _OCI_ATTACHPIPE when its socket listens, and starts the process at the next byte on _OCI_STARTPIPE.
 */
function attachGate(onAttachable: () => void) {
  const [attachRead, attachWrite] = pipe2();
  const [startRead, startWrite] = pipe2();
  writeSync(startWrite.fd, Buffer.alloc(1));
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    watch[Symbol.dispose]();
    attachRead.close();
    startWrite.close();
  };
  const watch = pollFd(attachRead.fd, { readable: true }, () => {
    try {
      onAttachable();
      writeSync(startWrite.fd, Buffer.alloc(1));
    } catch {
      // Without a connection conmon gives up when its pipe closes, and its answer tells so.
    } finally {
      close();
    }
  });
  return {
    close,
    env: { _OCI_ATTACHPIPE: '4', _OCI_STARTPIPE: '5' },
    fds: [
      { child: 4, parent: attachWrite.fd },
      { child: 5, parent: startRead.fd },
    ],
    childHasThem() {
      attachWrite.close();
      startRead.close();
    },
  };
}
