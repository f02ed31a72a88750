import { parentPort } from 'node:worker_threads';
import { type DeleteAnswer, type DeleteRequest, deletion, errorParts } from './delete-tree.ts';

/** Names that are removed before another tree has its turn. */
const TURN = 1024;

const deletions = new Map<number, Generator<undefined, void>>();

function turn(): void {
  for (const [id, steps] of deletions) {
    const answer: DeleteAnswer = { id };
    try {
      if (!steps.next().done) continue;
    } catch (thrown) {
      const error = errorParts(thrown);
      if (error) answer.error = error;
    }
    deletions.delete(id);
    parentPort?.postMessage(answer);
  }
  if (deletions.size > 0) setImmediate(turn);
}

parentPort?.on('message', ({ id, path }: DeleteRequest) => {
  deletions.set(id, deletion(path, TURN));
  if (deletions.size === 1) setImmediate(turn);
});
