import { parentPort } from 'node:worker_threads';
import { errnoCode, WharfError } from '../base/index.ts';
import { CopyJob } from './copy-job.ts';
import { ExtractJob } from './extract-job.ts';
import { PackJob } from './pack-job.ts';
import type { FromWorker, ToWorker, WorkRequest } from './work-threads.ts';

/** A task under way. Pieces are made, or taken, one a turn, so that messages and other tasks come between. */
interface Task {
  job: PackJob | ExtractJob | CopyJob;
  /** Pieces that are wanted of a pack. */
  wanted: number;
  /** Pieces to be extracted. */
  given: Uint8Array<ArrayBuffer>[];
  /** All was given. */
  complete: boolean;
}

/** So many pieces of a copy make a turn. */
const COPY_TURN = 8;

const tasks = new Map<number, Task>();
let turning = false;

function tell(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function end(id: number, thrown?: unknown): void {
  const job = tasks.get(id)?.job;
  job?.[Symbol.dispose]();
  tasks.delete(id);
  if (thrown === undefined) {
    tell({ id, done: true });
    return;
  }
  const error = WharfError.from(thrown);
  const code = errnoCode(error.cause);
  const at = job instanceof CopyJob ? job.end : undefined;
  tell({ id, done: true, error: { kind: error.kind, message: error.message, code, end: at } });
}

function begin(id: number, request: WorkRequest): void {
  try {
    tasks.set(id, { job: jobOf(request), wanted: 0, given: [], complete: false });
  } catch (thrown) {
    end(id, thrown);
  }
}

function jobOf(request: WorkRequest): Task['job'] {
  if ('pack' in request) return new PackJob(request.pack);
  return 'extract' in request ? new ExtractJob(request.extract) : new CopyJob(request.copy);
}

function turn(): void {
  turning = false;
  for (const [id, task] of tasks) {
    try {
      if (task.job instanceof PackJob) pack(id, task, task.job);
      else if (task.job instanceof ExtractJob) extract(id, task, task.job);
      else copy(id, task.job);
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

function copy(id: number, job: CopyJob): void {
  let more = true;
  for (let pieces = 0; more && pieces < COPY_TURN; pieces++) more = job.step();
  tell({ id, bytes: job.bytes });
  if (!more) end(id);
}

function rouse(): void {
  if (turning) return;
  for (const { job, wanted, given, complete } of tasks.values()) {
    if (wanted === 0 && given.length === 0 && !complete && !(job instanceof CopyJob)) continue;
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
