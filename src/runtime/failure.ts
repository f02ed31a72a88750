import { WharfError } from '../base/index.ts';
import { diagnoseProgram, type ProgramProblem, type ProgramView, type WantedProcess } from './diagnose.ts';

const SHIM =
  'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ';
const UNABLE = 'unable to start container process: ';
const PREFIX = {
  create: `${SHIM}${UNABLE}error during container init: `,
  exec: `OCI runtime exec failed: exec failed: ${UNABLE}`,
};
/** What Docker adds whenever a runtime speaks of a directory that is none. */
const NOT_A_DIRECTORY =
  ': Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type';

const TEXT: Record<string, string> = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  ELOOP: 'too many levels of symbolic links',
  EACCES: 'permission denied',
  ENAMETOOLONG: 'file name too long',
};

/** A process that a runtime could not make, and where to look for the reason. */
export interface FailedProcess {
  /** The runtime's words; empty where it told them to the terminal only. */
  text: string;
  process: WantedProcess;
  view: ProgramView;
  step: 'create' | 'exec';
}

/**
 * Turns a runtime's failure into Docker's text, on which clients decide exit codes 127 and 126. Kinds: `not-found` and
 * `forbidden` for the program, `invalid` for all else that the request is to blame for.
 */
export function programFailure({ text, process, view, step }: FailedProcess): WharfError {
  const said = plainText(text);
  // Of mounts and namespaces the runtime knows more than can be seen from here.
  const aboutProgram = said === '' || /executable|\bexec\b|chdir|\bcwd\b|open `/i.test(said);
  const problem = aboutProgram ? diagnoseProgram(view, process) : undefined;
  const program = process.args[0] ?? '';
  if (problem) return problemError(problem, program, process.cwd, step);
  return spokenError(said, program, step);
}

function problemError(
  { about, code }: ProgramProblem,
  program: string,
  cwd: string,
  step: 'create' | 'exec',
): WharfError {
  const prefix = PREFIX[step];
  const reason = TEXT[code] ?? code;
  const exec = `${prefix}exec: ${JSON.stringify(program)}: `;
  // The start adds the hint itself to whatever says "not a directory".
  const hint = code === 'ENOTDIR' && step === 'exec' ? NOT_A_DIRECTORY : '';
  const kind = code === 'ENOENT' ? 'not-found' : 'invalid';
  if (about === 'cwd')
    return new WharfError(
      kind,
      `${prefix}chdir to cwd (${JSON.stringify(cwd)}) set in config.json failed: ${reason}${hint}`,
    );
  if (about === 'search') return new WharfError('not-found', `${exec}executable file not found in $PATH`);
  if (code === 'EISDIR') return new WharfError('forbidden', `${exec}is a directory: permission denied`);
  if (code === 'EACCES') return new WharfError('forbidden', `${exec}permission denied`);
  return new WharfError(kind, `${exec}stat ${program}: ${reason}${hint}`);
}

/** By the runtime's words alone: nothing wrong was to be seen. */
function spokenError(said: string, program: string, step: 'create' | 'exec'): WharfError {
  const prefix = PREFIX[step];
  const exec = `${prefix}exec: ${JSON.stringify(program)}: `;
  if (/executable file.*not found|exec.*no such file/i.test(said)) {
    const missing = program.includes('/')
      ? `stat ${program}: no such file or directory`
      : 'executable file not found in $PATH';
    return new WharfError('not-found', exec + missing);
  }
  if (/open executable|exec.*(permission denied|not permitted)/i.test(said))
    return new WharfError('forbidden', `${exec}permission denied`);
  return new WharfError('invalid', prefix + (said || 'the runtime ended without a word'));
}

/** A runtime's error without colours, times and the form of a log line. */
export function plainText(text: string): string {
  const lines = text.split('\n').map((line) => {
    const plain = line.replace(/\x1b\[[0-9;]*m/g, '').trim();
    const message = /\bmsg="((?:[^"\\]|\\.)*)"/.exec(plain)?.[1];
    if (message !== undefined) return message.replaceAll('\\"', '"');
    return plain.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z: /, '');
  });
  return lines.filter(Boolean).join('\n');
}
