import { WharfError } from '../base/index.ts';
import type { AuditEntry, User } from '../registry/server/index.ts';
import type { Repository } from '../registry/types.ts';

/** Who uses a repository from within this process, for the audit. */
export interface Insider {
  user: User;
  audit(entry: AuditEntry): void;
}

const INSIDE = 'this process';
const AGENT = 'engine';

/** Statuses that the same request had got through a socket. */
const STATUS: Partial<Record<WharfError['kind'], number>> = {
  invalid: 400,
  corrupt: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'rate-limited': 429,
  exhausted: 507,
  cancelled: 499,
};

/** The line for credentials that were refused before anything was asked with them. */
export function refusedLogin(repository: string, thrown: unknown): AuditEntry {
  const status = STATUS[WharfError.from(thrown).kind] ?? 500;
  const what = { user: null, method: 'GET', action: 'login', repository, reference: null, status, bytes: 0 };
  return { time: new Date().toISOString(), from: INSIDE, agent: AGENT, ...what };
}

/** A repository whose use is written to the audit as requests through sockets are: a push that links leaves its lines, too. */
export function auditedRepository(inner: Repository, insider: Insider): Repository {
  const note = (method: string, action: string, reference: string | null, status: number, bytes: number) =>
    insider.audit({
      time: new Date().toISOString(),
      user: insider.user ?? null,
      from: INSIDE,
      method,
      action,
      repository: inner.path,
      reference,
      status,
      bytes,
      agent: AGENT,
    });
  /** Notes how a call ended; `sized` tells the bytes of its result. */
  const noted = async <T>(
    [method, action, reference, good]: readonly [
      string,
      string,
      string | null,
      number | ((result: T) => number),
    ],
    work: Promise<T>,
    sized: (result: T) => number = () => 0,
  ): Promise<T> => {
    try {
      const result = await work;
      note(method, action, reference, typeof good === 'number' ? good : good(result), sized(result));
      return result;
    } catch (thrown) {
      const { kind } = WharfError.from(thrown);
      const nobody = kind === 'forbidden' && insider.user === undefined;
      note(method, action, reference, nobody ? 401 : (STATUS[kind] ?? 500), 0);
      throw thrown;
    }
  };
  return {
    path: inner.path,
    resolve: (reference, signal) => noted(['HEAD', 'pull', reference, 200], inner.resolve(reference, signal)),
    manifest: (reference, signal) =>
      noted(['GET', 'pull', reference, 200], inner.manifest(reference, signal), ({ bytes }) => bytes.length),
    blob: (blob, offset, signal) =>
      noted(
        ['GET', 'pull', blob.digest, 200],
        inner.blob(blob, offset, signal),
        ({ start }) => blob.size - start,
      ),
    statBlob: async (digest, signal) => {
      const found = await inner.statBlob(digest, signal);
      note('HEAD', 'pull', digest, found ? 200 : 404, 0);
      return found;
    },
    mountBlob: (digest, from, signal) =>
      noted(
        ['POST', 'mount', digest, (mounted) => (mounted ? 201 : 202)],
        inner.mountBlob(digest, from, signal),
      ),
    uploadBlob: (source, sent, signal) =>
      noted(
        ['PUT', 'push', source.descriptor.digest, 201],
        inner.uploadBlob(source, sent, signal),
        () => source.descriptor.size,
      ),
    putManifest: (bytes, mediaType, reference, signal) =>
      noted(
        ['PUT', 'push', reference, 201],
        inner.putManifest(bytes, mediaType, reference, signal),
        () => bytes.length,
      ),
    deleteManifest: (reference, signal) =>
      noted(['DELETE', 'delete', reference, 202], inner.deleteManifest(reference, signal)),
    async *tags(signal) {
      yield* inner.tags(signal);
      note('GET', 'pull', null, 200, 0);
    },
    referrers: (digest, artifactType, signal) =>
      noted(['GET', 'pull', digest, 200], inner.referrers(digest, artifactType, signal)),
  };
}
