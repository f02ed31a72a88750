import { WharfError } from '../base/index.ts';

const CREATE =
  'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ';
const EXEC = 'OCI runtime exec failed: exec failed: unable to start container process: ';

/** Turns a runtime's text into Docker's, on which clients decide exit codes 127 and 126. */
export function programFailure(text: string, program: string, step: 'create' | 'exec'): WharfError {
  const prefix = step === 'create' ? CREATE : EXEC;
  const quoted = `exec: "${program}"`;
  if (/not found in \$PATH|no such file or directory/i.test(text) && /exec/.test(text)) {
    const reason = program.includes('/')
      ? `stat ${program}: no such file or directory`
      : 'executable file not found in $PATH';
    return new WharfError('not-found', `${prefix}${quoted}: ${reason}`);
  }
  if (/is a directory/i.test(text))
    return new WharfError('forbidden', `${prefix}${quoted}: is a directory: permission denied`);
  if (/open executable|permission denied|exec.*not permitted/i.test(text))
    return new WharfError('forbidden', `${prefix}${quoted}: permission denied`);
  return new WharfError('invalid', prefix + text.trim());
}
