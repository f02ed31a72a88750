import { randomUUID } from 'node:crypto';
import { type Logger, WharfError } from '../../base/index.ts';
import type { ContentStore, Ingest } from '../../content/types.ts';
import type { Collection } from '../../meta/types.ts';
import type { Descriptor, Digest } from '../../oci/index.ts';
import type { UploadRecord } from './local-index.ts';
import type { UploadInfo } from './types.ts';

/** How long an upload that nobody writes keeps its file open: reopening costs hashing what is there again. */
const IDLE_MS = 60_000;
/** So many idle uploads keep their files open, whoever begins how many. */
const MAX_IDLE = 128;

interface Session {
  readonly record: UploadRecord;
  ingest: Ingest | undefined;
  /** Stops the writer at work; there is none when undefined. */
  writer: AbortController | undefined;
  idle: NodeJS.Timeout | undefined;
  /** The file is being closed; it can't be opened before. */
  closing: Promise<void> | undefined;
  opening: Promise<Ingest> | undefined;
}

/** The unfinished blob in which the content store keeps an upload. */
export function ingestKey(id: string): string {
  return `upload-${id}`;
}

/** Uploads of a local registry: known by their records, their bytes in unfinished blobs of the content store. */
export class LocalUploads {
  private readonly content: ContentStore;
  private readonly records: Collection<UploadRecord>;
  private readonly now: () => number;
  private readonly log: Logger;
  private readonly sessions = new Map<string, Session>();
  /** Those whose file is open though nobody writes, longest first. */
  private readonly idle = new Set<Session>();

  constructor(parts: {
    content: ContentStore;
    records: Collection<UploadRecord>;
    now: () => number;
    log: Logger;
  }) {
    this.content = parts.content;
    this.records = parts.records;
    this.now = parts.now;
    this.log = parts.log;
    for (const record of this.records.all()) this.add(record);
  }

  start(repository: string): UploadInfo {
    const record = { id: randomUUID(), repository, startedAt: this.now() };
    this.records.put(record);
    this.add(record);
    return { ...record, offset: 0 };
  }

  async info(repository: string, id: string): Promise<UploadInfo> {
    const session = this.session(repository, id);
    // Whoever looks does not stand in the way of a writer that comes meanwhile.
    if (!session.ingest) {
      await this.open(session);
      if (!session.writer) this.closeWhenIdle(session);
    }
    return infoOf(session);
  }

  async append(
    repository: string,
    id: string,
    body: AsyncIterable<Uint8Array>,
    start?: number,
    signal?: AbortSignal,
  ): Promise<UploadInfo> {
    const session = this.session(repository, id);
    return this.alone(session, async (ingest, cancelled) => {
      if (start !== undefined && start !== ingest.offset) {
        throw new WharfError(
          'conflict',
          `the upload ${id} has ${ingest.offset} bytes; a piece that starts at ${start} does not follow them`,
        );
      }
      for await (const chunk of body) {
        if (cancelled.aborted || signal?.aborted)
          throw new WharfError('cancelled', `the upload ${id} was stopped`);
        await ingest.write(chunk);
      }
      return infoOf(session);
    });
  }

  /** Verifies what came; the caller records it. On `corrupt` the upload is gone. */
  async commit(repository: string, id: string, digest: Digest): Promise<Descriptor> {
    const session = this.session(repository, id);
    return this.alone(session, async (ingest) => {
      try {
        return await ingest.commit({ digest });
      } catch (thrown) {
        this.forget(id);
        throw thrown;
      } finally {
        // Not before: who asks meanwhile how far it is gets an answer.
        session.ingest = undefined;
      }
    });
  }

  /** Drops the record of an upload whose bytes are gone. */
  forget(id: string): void {
    this.records.delete(id);
    this.ended(id);
  }

  /** The upload is over and its record removed. */
  ended(id: string): void {
    const session = this.sessions.get(id);
    if (session) this.rouse(session);
    this.sessions.delete(id);
  }

  async cancel(repository: string, id: string): Promise<void> {
    const session = this.session(repository, id);
    this.forget(id);
    session.writer?.abort();
    await this.discard(session);
  }

  /** Whether a request writes an upload of that repository now. */
  busyIn(repository: string): boolean {
    for (const { record, writer } of this.sessions.values())
      if (writer && record.repository === repository) return true;
    return false;
  }

  /** All uploads, with their bytes, the time of the last one, and whether a request works on them now. */
  async list(): Promise<(UploadInfo & { modified: number; busy: boolean })[]> {
    const parts = new Map<string, { size: number; modified: number }>();
    for await (const { key, size, modified } of this.content.ingests()) parts.set(key, { size, modified });
    return [...this.sessions.values()].map(({ record, writer }) => {
      const part = parts.get(ingestKey(record.id));
      return {
        ...record,
        offset: part?.size ?? 0,
        modified: Math.max(part?.modified ?? 0, record.startedAt),
        busy: writer !== undefined,
      };
    });
  }

  /** Unfinished blobs of uploads that no record names: a crash between the two. */
  async strays(): Promise<{ key: string; size: number; modified: number }[]> {
    const strays = [];
    for await (const part of this.content.ingests()) {
      if (part.key.startsWith('upload-') && !this.sessions.has(part.key.slice('upload-'.length)))
        strays.push(part);
    }
    return strays;
  }

  /** Closes every file; the uploads stay. */
  async close(): Promise<void> {
    for (const session of this.sessions.values()) {
      this.rouse(session);
      session.writer?.abort();
      await session.ingest?.close();
      session.ingest = undefined;
    }
  }

  private add(record: UploadRecord): void {
    this.sessions.set(record.id, {
      record,
      ingest: undefined,
      writer: undefined,
      idle: undefined,
      closing: undefined,
      opening: undefined,
    });
  }

  private session(repository: string, id: string): Session {
    const session = this.sessions.get(id);
    // Another repository's upload is as good as none: its rights were not asked for.
    if (session?.record.repository !== repository)
      throw new WharfError('not-found', `no upload ${id} in ${repository}`);
    return session;
  }

  /** Runs `work` as the one that has the upload's file. Errors: `conflict`. */
  private async alone<T>(
    session: Session,
    work: (ingest: Ingest, cancelled: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { id } = session.record;
    if (session.writer) throw new WharfError('conflict', `another request writes to the upload ${id}`);
    const writer = new AbortController();
    session.writer = writer;
    this.rouse(session);
    try {
      return await work(await this.open(session), writer.signal);
    } finally {
      session.writer = undefined;
      if (!this.sessions.has(id)) await this.discard(session);
      else if (session.ingest) this.closeWhenIdle(session);
    }
  }

  /** The upload's file, opened by the first who asks. */
  private async open(session: Session): Promise<Ingest> {
    if (session.ingest) return session.ingest;
    session.opening ??= (async () => {
      try {
        await session.closing;
        session.ingest = await this.content.ingest(ingestKey(session.record.id));
        return session.ingest;
      } finally {
        session.opening = undefined;
      }
    })();
    return session.opening;
  }

  private closeWhenIdle(session: Session): void {
    this.rouse(session);
    this.idle.add(session);
    session.idle = setTimeout(() => this.putDown(session), IDLE_MS);
    session.idle.unref();
    const [longest] = this.idle;
    if (longest && this.idle.size > MAX_IDLE) this.putDown(longest);
  }

  private rouse(session: Session): void {
    clearTimeout(session.idle);
    this.idle.delete(session);
  }

  private putDown(session: Session): void {
    this.rouse(session);
    const { ingest } = session;
    session.ingest = undefined;
    session.closing = ingest
      ?.close()
      .catch((error: unknown) => this.log.warn('an upload could not be put down', { error }));
  }

  private async discard(session: Session): Promise<void> {
    // The writer still has the file: it discards it at its end.
    if (session.writer) return;
    await session.opening;
    const { ingest } = session;
    session.ingest = undefined;
    await session.closing;
    if (ingest) await ingest.discard();
    else await this.content.dropIngest(ingestKey(session.record.id));
  }
}

function infoOf({ record, ingest }: Session): UploadInfo {
  return { ...record, offset: ingest?.offset ?? 0 };
}
