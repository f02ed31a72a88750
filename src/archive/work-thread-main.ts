import { parentPort } from 'node:worker_threads';
import { errnoCode, WharfError } from '../base/index.ts';
import { ExtractJob } from './extract-job.ts';
import { PackJob } from './pack-job.ts';
import type { FromWorker, ToWorker, WorkRequest } from './work-threads.ts';

/** A task under way. Pieces are made, or taken, one a turn, so that messages and other tasks come between. */
interface Task {
  job: PackJob | ExtractJob;
  /** Pieces that are wanted of a pack. */
  wanted: number;
  /** Pieces to be extracted. */
  given: Uint8Array<ArrayBuffer>[];
  /** All was given. */
  complete: boolean;
}

const tasks = new Map<number, Task>();
let turning = false;

function tell(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function end(id: number, thrown?: unknown): void {
  tasks.get(id)?.job[Symbol.dispose]();
  tasks.delete(id);
  if (thrown === undefined) {
    tell({ id, done: true });
    return;
  }
  const error = WharfError.from(thrown);
  const code = errnoCode(error.cause);
  tell({ id, done: true, error: { kind: error.kind, message: error.message, code } });
}

function begin(id: number, request: WorkRequest): void {
  try {
    const job = 'pack' in request ? new PackJob(request.pack) : new ExtractJob(request.extract);
    tasks.set(id, { job, wanted: 0, given: [], complete: false });
  } catch (thrown) {
    end(id, thrown);
  }
}

function turn(): void {
  turning = false;
  for (const [id, task] of tasks) {
    try {
      if (task.job instanceof PackJob) pack(id, task, task.job);
      else extract(id, task, task.job);
    } catch (thrown) {
      end(id, thrown);
    }
  }
  rouse();
}

function pack(id: number, task: Task, job: PackJob): void {
  if (task.wanted === 0) return;
  task.wanted -= 1;
  const piece = job.step();
  if (piece) tell({ id, piece }, [piece.buffer]);
  else end(id);
}

function extract(id: number, task: Task, job: ExtractJob): void {
  const piece = task.given.shift();
  if (piece) {
    job.push(piece);
    tell({ id, piece }, [piece.buffer]);
  } else if (task.complete) {
    job.finish();
    end(id);
  }
}

function rouse(): void {
  if (turning) return;
  for (const { wanted, given, complete } of tasks.values()) {
    if (wanted === 0 && given.length === 0 && !complete) continue;
    turning = true;
    setImmediate(turn);
    return;
  }
}

parentPort?.on('message', (message: ToWorker) => {
  const { id } = message;
  const task = tasks.get(id);
  if ('request' in message) begin(id, message.request);
  else if (!task) return;
  else if ('want' in message) task.wanted += message.want;
  else if ('piece' in message) task.given.push(message.piece);
  else if ('end' in message) task.complete = true;
  else end(id);
  rouse();
});
