import { parentPort } from 'node:worker_threads';
import { errorParts } from './delete-tree.ts';
import { type MountRequest, mount } from './mount.ts';
import type { MountAnswer } from './mount-later.ts';

parentPort?.on('message', (request: MountRequest) => {
  const answer: MountAnswer = {};
  try {
    mount(request);
  } catch (thrown) {
    const error = errorParts(thrown);
    if (error) answer.error = error;
  }
  parentPort?.postMessage(answer);
});
