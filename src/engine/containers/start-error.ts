import { isKind, WharfError } from '../../base/index.ts';

/** What Docker puts before a runtime's refusal to make a container. */
const CREATE_PREFIX =
  'failed to create task for container: failed to create shim task: OCI runtime create failed: ';

/** A start that failed: the error for the client and the exit code that the record keeps. */
export interface StartFailure {
  error: WharfError;
  exitCode: number;
}

/**
 * The words that clients look for when a program can't be run (docker's CLI takes its exit code 126 or 127 from them),
 * whichever OCI runtime said it.
 */
export function programErrorText(thrown: WharfError, program: string, during: string): string {
  const text = thrown.message;
  const missingCwd = /chdir to cwd|cannot change directory|\bchdir\b/i.test(text);
  if (missingCwd) return text;
  const quoted = JSON.stringify(program);
  if (isKind(thrown, 'not-found')) {
    if (/executable file not found|no such file or directory/.test(text) && /exec:/.test(text)) return text;
    return program.includes('/')
      ? `${during}exec: ${quoted}: stat ${program}: no such file or directory`
      : `${during}exec: ${quoted}: executable file not found in $PATH`;
  }
  if (isKind(thrown, 'forbidden')) {
    if (/permission denied/.test(text) && /exec:/.test(text)) return text;
    const directory = /is a directory/i.test(text) ? 'is a directory: ' : '';
    return `${during}exec: ${quoted}: ${directory}permission denied`;
  }
  return text;
}

/**
 * Turns what stopped a start into Docker's text, its kind and the exit code of the container. `stage`: only what the
 * runtime reports as missing is the container's program.
 */
export function startFailure(thrown: unknown, program: string, stage: 'engine' | 'runtime'): StartFailure {
  const error = WharfError.from(thrown);
  if (stage === 'engine') return { error, exitCode: 128 };
  const during = 'unable to start container process: error during container init: ';
  const text = programErrorText(error, program, during);
  const message = text.startsWith('failed to create task') ? text : `${CREATE_PREFIX}${text}`;
  if (isKind(error, 'not-found')) return failure('invalid', message, 127, thrown);
  if (isKind(error, 'forbidden')) return failure('invalid', message, 126, thrown);
  if (/not a directory/i.test(message)) {
    const hint =
      ': Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type';
    return failure('invalid', message + hint, 127, thrown);
  }
  if (/no such file or directory/i.test(message)) return failure('invalid', message, 127, thrown);
  return failure(error.kind, message, 128, thrown);
}

function failure(kind: WharfError['kind'], message: string, exitCode: number, cause: unknown): StartFailure {
  return { error: new WharfError(kind, message, { cause }), exitCode };
}
