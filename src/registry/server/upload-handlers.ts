import { isKind } from '../../base/index.ts';
import type { Digest } from '../../oci/index.ts';
import { announcedLength, answer, bodyOf, type Call } from './call.ts';
import { RegistryFailure } from './failure.ts';
import { type ByteRange, parseContentRange } from './range.ts';
import { digest as digestIn, repositoryName } from './route.ts';
import type { UploadInfo } from './types.ts';

/** How many repositories are looked at for a mount that names none. */
const MOUNT_CANDIDATES = 100;

type UploadRoute = { repository: string; id: string };

/** POST: mounts a blob, takes one in whole, or begins an upload (end-4a, end-4b, end-11). */
export async function startUpload(call: Call, { repository }: { repository: string }): Promise<void> {
  const { query, storage } = call;
  const wanted = query.get('mount');
  if (wanted !== null) {
    const digest = digestIn(wanted);
    if (await mount(call, repository, digest)) return created(call, repository, digest);
  }
  const whole = query.get('digest');
  if (whole !== null && wanted === null) return takeWhole(call, repository, digestIn(whole));
  const info = await storage.startUpload(repository);
  answer(call, 202, progress(info));
}

/** GET: how far an upload is (end-13). */
export async function uploadStatus(call: Call, { repository, id }: UploadRoute): Promise<void> {
  answer(call, 204, progress(await call.storage.upload(repository, id)));
}

/** PATCH: a piece, the next one when it says where it belongs (end-5). */
export async function appendUpload(call: Call, route: UploadRoute): Promise<void> {
  answer(call, 202, progress(await append(call, route)));
}

/** PUT: the last piece, if there is one, and the end (end-6). */
export async function finishUpload(call: Call, route: UploadRoute): Promise<void> {
  const { query, storage } = call;
  const wanted = query.get('digest');
  if (wanted === null) throw new RegistryFailure('DIGEST_INVALID', { message: 'the digest is missing' });
  const digest = digestIn(wanted);
  if (announcedLength(call) !== 0) await append(call, route);
  try {
    await storage.finishUpload(route.repository, route.id, digest);
  } catch (thrown) {
    if (isKind(thrown, 'corrupt')) throw new RegistryFailure('DIGEST_INVALID', { detail: { digest } });
    throw isKind(thrown, 'conflict') ? await outOfOrder(call, route) : thrown;
  }
  created(call, route.repository, digest);
}

/** DELETE: gives an upload up (end-14). */
export async function cancelUpload(call: Call, { repository, id }: UploadRoute): Promise<void> {
  await call.storage.cancelUpload(repository, id);
  answer(call, 204, ['Docker-Upload-UUID', id]);
}

async function takeWhole(call: Call, repository: string, digest: Digest): Promise<void> {
  const size = announcedLength(call);
  const expected = { digest, ...(size === undefined ? {} : { size }) };
  try {
    await call.storage.putBlob(repository, bodyOf(call), expected, call.signal);
  } catch (thrown) {
    throw isKind(thrown, 'corrupt') ? new RegistryFailure('DIGEST_INVALID', { detail: { digest } }) : thrown;
  }
  created(call, repository, digest);
}

/** True when the blob is the repository's now. Whoever mounts must be allowed to read it where it comes from. */
async function mount(call: Call, repository: string, digest: Digest): Promise<boolean> {
  const { grant, query, storage } = call;
  const from = query.get('from');
  if (from === null || from === '') {
    const holders = await storage.holders(digest, MOUNT_CANDIDATES);
    const readable = holders.some((holder) => grant.allows('pull', holder));
    return readable && storage.linkBlob(repository, digest);
  }
  const source = repositoryName(from);
  if (!grant.allows('pull', source)) return false;
  return (await storage.statBlob(source, digest)) !== undefined && storage.linkBlob(repository, digest);
}

async function append(call: Call, route: UploadRoute): Promise<UploadInfo> {
  const header = call.request.headers['content-range'];
  const length = announcedLength(call);
  const range = header === undefined ? undefined : parseContentRange(header);
  if (header !== undefined && !range) {
    throw new RegistryFailure('RANGE_INVALID', { detail: { range: header.slice(0, 100) } });
  }
  if (range && length !== undefined && length !== lengthOf(range, length)) {
    throw new RegistryFailure('SIZE_INVALID', { detail: { length, range: header } });
  }
  const { repository, id } = route;
  const before = call.bytes;
  let info: UploadInfo;
  try {
    info = await call.storage.appendUpload(repository, id, bodyOf(call), range?.start, call.signal);
  } catch (thrown) {
    throw isKind(thrown, 'conflict') ? await outOfOrder(call, route) : thrown;
  }
  const came = call.bytes - before;
  if (range && came !== lengthOf(range, came)) {
    throw new RegistryFailure('SIZE_INVALID', { detail: { length: came, range: header } });
  }
  return info;
}

/** The bytes of a piece; one that is empty has no true range, and `0-0` is used for it. */
function lengthOf({ start, end }: ByteRange, length: number): number {
  return length === 0 && end === start ? 0 : end - start + 1;
}

/** A piece at the wrong place: the answer says which is the right one. */
async function outOfOrder(call: Call, { repository, id }: UploadRoute): Promise<RegistryFailure> {
  const info = await call.storage.upload(repository, id);
  return new RegistryFailure('BLOB_UPLOAD_INVALID', {
    status: 416,
    message: `the upload goes on at byte ${info.offset}, by one request at a time`,
    headers: progress(info),
  });
}

function progress({ repository, id, offset }: UploadInfo): string[] {
  return [
    'Location',
    `/v2/${repository}/blobs/uploads/${id}`,
    'Range',
    `0-${Math.max(0, offset - 1)}`,
    'Docker-Upload-UUID',
    id,
  ];
}

function created(call: Call, repository: string, digest: Digest): void {
  answer(call, 201, ['Location', `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest', digest]);
}
