import type { Logger } from './log.ts';

/** One step that takes back something done. It must be safe to run after a partial failure. */
export type Undo = () => void | Promise<void>;

/**
 * The undo steps of one operation, run in reverse when it fails and dropped when it commits.
 *
 *     await using undo = new UndoStack(log);
 *     undo.push('unmount', () => umount(target));
 *     …
 *     undo.commit();
 */
export class UndoStack implements AsyncDisposable {
  private readonly steps: { what: string; undo: Undo }[] = [];
  private readonly log: Logger;

  constructor(log: Logger) {
    this.log = log;
  }

  /** Adds a step; `what` names it in the log should it fail itself. */
  push(what: string, undo: Undo): void {
    this.steps.push({ what, undo });
  }

  /** The operation holds: nothing will be undone. */
  commit(): void {
    this.steps.length = 0;
  }

  /** Undoes what was not committed, newest first. A step that fails is logged and does not stop the rest. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let step = this.steps.pop(); step; step = this.steps.pop()) {
      try {
        await step.undo();
      } catch (thrown) {
        this.log.warn('undo step failed', { step: step.what, error: thrown });
      }
    }
  }
}
