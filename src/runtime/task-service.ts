import type { Logger } from '../base/index.ts';
import type { TaskService } from './types.ts';
/** Where the service works and what it reports to. */
export interface TaskServiceOptions {
  /** Below it lie `bundles`, `exits`, `runtime/<name>`. On a tmpfs best. */
  execRoot: string;
  conmonPath: string;
  log: Logger;
}
/** Opens the service; makes its directories and watches for exits. */
export function openTaskService(_options: TaskServiceOptions): TaskService & Disposable {
  throw new Error('openTaskService');
}
