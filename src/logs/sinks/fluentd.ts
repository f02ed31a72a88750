import { randomBytes } from 'node:crypto';
import { WharfError } from '../../base/index.ts';
import { EventTime, type Packable, packedText, packMessage } from './message-pack.ts';
import type { StreamConnection } from './stream-connection.ts';
import type { LogEntry, LogSink, LogSource } from './types.ts';

export interface FluentdOptions {
  source: LogSource;
  /** Time with nanoseconds instead of whole seconds. */
  subSecond: boolean;
  /** Each batch is answered by the server. */
  requestAck: boolean;
  /** Milliseconds; 0 waits as long as it takes. */
  writeTimeout: number;
}

const SECOND = 1_000_000_000n;
/** The longest answer that makes sense. */
const MOST_ANSWER = 4096;

/** One entry in the form `[tag, time, record, option]` of the forward protocol. */
export function fluentdMessage(
  { source, subSecond }: FluentdOptions,
  entry: LogEntry,
  chunk?: string,
): Buffer {
  const record = new Map<string, Packable>([
    ['container_id', source.id],
    ['container_name', `/${source.name}`],
    ['source', entry.stream],
    ['log', entry.line],
    ...source.attributes,
  ]);
  if (entry.partial) {
    record.set('partial_message', 'true');
    record.set('partial_id', entry.partial.id);
    record.set('partial_ordinal', String(entry.partial.ordinal));
    record.set('partial_last', String(entry.partial.last));
  }
  const time = subSecond ? new EventTime(entry.time) : Number(entry.time / SECOND);
  const option = new Map<string, Packable>(chunk ? [['chunk', chunk]] : []);
  return packMessage([source.tag, time, record, option]);
}

/** Sends lines to Fluentd or Fluent Bit by the forward protocol, version 1. */
export class FluentdSink implements LogSink {
  private readonly connection: StreamConnection;
  private readonly options: FluentdOptions;

  constructor(connection: StreamConnection, options: FluentdOptions) {
    this.connection = connection;
    this.options = options;
  }

  async send(entries: readonly LogEntry[], signal: AbortSignal): Promise<void> {
    const { requestAck, writeTimeout } = this.options;
    const chunks = entries.map(() => (requestAck ? randomBytes(16).toString('base64') : undefined));
    const messages = entries.map((entry, at) => fluentdMessage(this.options, entry, chunks[at]));
    await this.connection.write(Buffer.concat(messages), signal, writeTimeout);
    if (requestAck) await this.acknowledged(chunks as string[], signal);
  }

  /** Waits for the answer to each message; they come in order. */
  private async acknowledged(chunks: string[], signal: AbortSignal): Promise<void> {
    let held: Buffer = Buffer.alloc(0);
    try {
      for (const chunk of chunks) {
        let answer = packedText(held, 'ack');
        while (!answer) {
          if (held.length > MOST_ANSWER)
            throw new WharfError('unavailable', 'the log server answered nonsense');
          held = Buffer.concat([held, await this.connection.answer(signal)]);
          answer = packedText(held, 'ack');
        }
        held = held.subarray(answer.length);
        if (answer.text !== chunk)
          throw new WharfError('unavailable', 'the log server acknowledged something else');
      }
    } catch (thrown) {
      this.connection.drop();
      throw thrown;
    }
  }

  close(): void {
    this.connection.drop();
  }
}
