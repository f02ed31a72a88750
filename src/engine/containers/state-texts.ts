import { WharfError } from '../../base/index.ts';
import type { ContainerRecord } from './record.ts';

/** Docker's answer where a process is needed and there is none. */
export function notRunning(record: Pick<ContainerRecord, 'id'>): WharfError {
  return new WharfError('conflict', `container ${record.id} is not running`);
}

/** Docker's answer while a container waits for its restart. */
export function isRestarting(record: Pick<ContainerRecord, 'id'>): WharfError {
  const text = `Container ${record.id} is restarting, wait until the container is running`;
  return new WharfError('conflict', text);
}

/** An error with Docker's words before its text; the kind stays. */
export function prefixed(prefix: string, thrown: unknown): WharfError {
  const error = WharfError.from(thrown);
  return new WharfError(error.kind, `${prefix}: ${error.message}`, { cause: error });
}
