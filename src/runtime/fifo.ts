import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { errnoCode, WharfError } from '../base/index.ts';

/** Tells a monitor the size of its terminal (conmon's `ctl` fifo). Errors: `not-found` when it has ended. */
export function resizeTerminal(bundle: string, height: number, width: number): void {
  writeNow(`${bundle}/ctl`, Buffer.from(`1 ${height} ${width}\n`));
}

/** Has a monitor open its log anew (message 2 on conmon's `ctl` fifo; the other numbers must be there). Errors: `not-found` when it has ended. */
export function reopenLog(bundle: string): void {
  writeNow(`${bundle}/ctl`, Buffer.from('2 0 0\n'));
}

/** Writes to a fifo that somebody reads; never waits for a reader. Errors: `not-found` without one. */
export function writeNow(fifo: string, data: Buffer, opened?: () => void): void {
  let fd: number;
  try {
    fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const gone = ['ENXIO', 'ENOENT'].includes(errnoCode(cause) ?? '');
    throw new WharfError(gone ? 'not-found' : 'internal', 'the process has ended', { cause });
  }
  try {
    opened?.();
    writeSync(fd, data);
  } finally {
    closeSync(fd);
  }
}

/** Writes to the stderr of a process that has not begun its program. Never waits; what can't be told is not. */
export function tell(pid: number, text: string): void {
  try {
    const fd = openSync(`/proc/${pid}/fd/2`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      writeSync(fd, text);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Nobody reads it any more.
  }
}
