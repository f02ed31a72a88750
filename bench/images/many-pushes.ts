import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TestRegistry } from '../../tests/e2e/support/index.ts';
import { pssOfTree } from '../memory.ts';
import { BareClient } from './transfer.ts';

/** What a server took for many pushes at once. */
export interface ManyPushes {
  /** Largest proportional set size seen, in bytes; looked at every 200 ms. */
  peakBytes: number;
  /** Largest resident set as the kernel kept it (VmHWM), in bytes. */
  highWaterBytes: number;
  ms: number;
}

/** Sends `count` blobs of `size` bytes at once, each of other content. */
export async function manyPushes(server: TestRegistry, count: number, size: number): Promise<ManyPushes> {
  const shared = randomBytes(size - 16);
  let peakBytes = 0;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, pssOfTree(server.pid));
  }, 200);
  const begin = performance.now();
  try {
    await Promise.all(Array.from({ length: count }, (_, at) => push(server.address, at, shared)));
  } finally {
    clearInterval(watch);
  }
  const ms = performance.now() - begin;
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return { peakBytes, highWaterBytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024, ms };
}

async function push(address: string, at: number, shared: Buffer): Promise<void> {
  using client = new BareClient(address);
  const own = Buffer.alloc(16, at);
  const digest = `sha256:${createHash('sha256').update(own).update(shared).digest('hex')}`;
  await client.uploadParts(`bench/many-${at}`, digest, [own, shared]);
}
