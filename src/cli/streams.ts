import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { WharfError } from '../base/index.ts';
import { Demultiplexer } from '../client/index.ts';

/** Writes a multiplexed stream to its two outputs, at the pace of the slower one. */
export async function demultiplexed(
  source: AsyncIterable<Buffer>,
  stdout: Writable,
  stderr: Writable,
): Promise<void> {
  let full: Writable | undefined;
  const demux = new Demultiplexer((name, data) => {
    if (name === 'system')
      throw new WharfError('internal', `error from daemon in stream: ${data.toString()}`);
    const target = name === 'stderr' ? stderr : stdout;
    if (!target.write(data)) full = target;
  });
  for await (const chunk of source) {
    demux.push(chunk);
    if (full) {
      const waiting = full;
      full = undefined;
      await once(waiting, 'drain');
    }
  }
}

/** Writes a stream as it is, at the pace of the output. */
export async function copied(source: AsyncIterable<Buffer>, target: Writable): Promise<void> {
  for await (const chunk of source) if (!target.write(chunk)) await once(target, 'drain');
}

/** The bytes that came with the head of an answer, and then the socket's. */
export async function* withHead(head: Buffer, socket: Readable): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for await (const chunk of socket) yield chunk as Buffer;
}
