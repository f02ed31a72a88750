import { parentPort } from 'node:worker_threads';
import { syncfs } from '../sys/index.ts';

parentPort?.on('message', ({ id, path }: { id: number; path: string }) => {
  try {
    syncfs(path);
    parentPort?.postMessage({ id });
  } catch (thrown) {
    parentPort?.postMessage({ id, error: String(thrown) });
  }
});
