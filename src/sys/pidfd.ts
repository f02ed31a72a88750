import { WharfError } from '../base/index.ts';
import { check, errnoName, lastErrno, systemError } from './errno.ts';
import { duplicateFd, Fd, fdNumber } from './fd.ts';
import { libcFunction, syscallNumbers } from './libc.ts';
import { FdWatch } from './poll.ts';

const SYS_pidfd_send_signal = 424;
const SYS_pidfd_open = 434;
const P_PIDFD = 3;
const WNOHANG = 1;
const WEXITED = 4;
const CLD_EXITED = 1;

/** How a child ended: one of the two is null. */
export interface ExitStatus {
  code: number | null;
  signal: number | null;
}

/** A descriptor of a process, which never comes to mean another one. `not-found` (cause ESRCH) when it is gone. */
export function openPidfd(pid: number): Fd {
  const fd = syscallNumbers(SYS_pidfd_open, pid, 0, null, 0);
  if (fd >= 0) return new Fd(fd);
  throw processError('pidfd_open', `process ${pid}`, lastErrno());
}

/** Sends a signal; false when the process has ended and been collected, or the descriptor is closed. */
export function pidfdSendSignal(pidfd: Fd | number, signal: number): boolean {
  const number = fdNumber(pidfd);
  if (number < 0) return false;
  if (syscallNumbers(SYS_pidfd_send_signal, number, signal, null, 0) === 0) return true;
  const errno = lastErrno();
  if (errnoName(errno) === 'ESRCH') return false;
  throw systemError('pidfd_send_signal', `signal ${signal}`, errno);
}

/**
 * Resolves when the process has ended (it may be a zombie still), without polling. Rejects with `cancelled` when the
 * signal fires. The descriptor is duplicated: it may be closed meanwhile. Waiting keeps the process running.
 */
export async function pidfdExited(pidfd: Fd | number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) throw new WharfError('cancelled', 'the wait for a process was cancelled');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const own = duplicateFd(pidfd);
  const finish = () => {
    signal?.removeEventListener('abort', onAbort);
    watch.stop();
    own.close();
  };
  const onAbort = () => {
    finish();
    reject(new WharfError('cancelled', 'the wait for a process was cancelled'));
  };
  const onExit = () => {
    finish();
    resolve();
  };
  let watch: FdWatch;
  try {
    watch = new FdWatch(own.fd, { readable: true }, onExit, true);
  } catch (thrown) {
    own.close();
    throw thrown;
  }
  signal?.addEventListener('abort', onAbort, { once: true });
  return promise;
}

const waitidCall = libcFunction<[number, number, Buffer, number]>(
  'int waitid(int type, uint id, void *info, int options)',
);

/** Collects a child that has ended; undefined while it runs. `not-found` (cause ECHILD) when it is no child of ours. */
export function reap(pidfd: Fd | number): ExitStatus | undefined {
  const info = Buffer.alloc(128);
  const result = waitidCall(P_PIDFD, fdNumber(pidfd), info, WEXITED | WNOHANG);
  if (result < 0) throw processError('waitid', `descriptor ${fdNumber(pidfd)}`, lastErrno());
  // siginfo_t: si_code at 8, si_pid at 16, si_status at 24 (64-bit).
  if (check(info.readInt32LE(16), 'waitid', 'child') === 0) return undefined;
  const status = info.readInt32LE(24);
  return info.readInt32LE(8) === CLD_EXITED ? { code: status, signal: null } : { code: null, signal: status };
}

function processError(call: string, subject: string, errno: number): WharfError {
  const error = systemError(call, subject, errno);
  if (!['ESRCH', 'ECHILD'].includes(errnoName(errno))) return error;
  return new WharfError('not-found', error.message, { cause: error.cause });
}
