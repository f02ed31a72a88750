import { type Logger, WharfError } from '../../base/index.ts';
import type { ContentStore } from '../../content/types.ts';
import type { Database } from '../../meta/types.ts';
import type { Digest } from '../../oci/index.ts';
import { LocalBlobs } from './local-blobs.ts';
import { collectGarbage } from './local-collect.ts';
import { LocalIndex } from './local-index.ts';
import { type LeaseBook, LocalManifests } from './local-manifests.ts';
import { LocalUploads } from './local-uploads.ts';
import type { RegistryStorage } from './types.ts';

/** What a local registry stands on. */
export interface LocalStorageOptions {
  /** May be shared, with an engine for example. */
  content: ContentStore;
  /** May be shared: collections are `registry_…`. */
  database: Database;
  /** Of everybody who shares the content store. */
  leases: LeaseBook;
  log: Logger;
  /** Whether others who share the content store need a blob. Not given, the store is the registry's own. */
  neededElsewhere?: (digest: Digest) => boolean;
  /** Milliseconds since 1970; the host's clock unless given. */
  now?: () => number;
}

/** A registry's storage that can be put down. */
export interface LocalStorage extends RegistryStorage {
  /** Closes files of uploads; they go on after a restart. */
  close(): Promise<void>;
}

/** Opens a registry on a content store and a database of this host. Reads all its records. */
export function openLocalStorage(options: LocalStorageOptions): LocalStorage {
  const { content, leases, log, now = Date.now, neededElsewhere = () => false } = options;
  const index = new LocalIndex(options.database);
  const blobs = new LocalBlobs({ content, index, leases, now, log });
  const uploads = new LocalUploads({ content, records: index.uploads, now, log });
  const manifests = new LocalManifests({ content, index, leases, now });
  return {
    statBlob: (repository, digest) => blobs.stat(repository, digest),
    openBlob: (repository, digest, range) => blobs.open(repository, digest, range),
    blobPath: (repository, digest) => blobs.path(repository, digest),
    linkBlob: (repository, digest, size) => blobs.link(repository, digest, size),
    unlinkBlob: async (repository, digest) => blobs.unlink(repository, digest),
    holders: async (digest, limit) => Array.from(index.holdersOf(digest)).slice(0, limit),
    putBlob: (repository, body, expected, signal) => blobs.put(repository, body, expected, signal),

    startUpload: async (repository) => uploads.start(repository),
    upload: (repository, id) => uploads.info(repository, id),
    appendUpload: (repository, id, body, start, signal) =>
      uploads.append(repository, id, body, start, signal),
    async finishUpload(repository, id, digest) {
      // The blob has a name before it has a record.
      using lease = leases.open();
      lease.add(digest);
      const written = await uploads.commit(repository, id, digest);
      index.putBlob({ repository, digest, size: written.size, usedAt: now() }, id);
      uploads.ended(id);
      return written;
    },
    cancelUpload: (repository, id) => uploads.cancel(repository, id),

    putManifest: (repository, bytes, type, reference, tag) =>
      manifests.put(repository, bytes, type, reference, tag),
    manifest: async (repository, reference) => manifests.get(repository, reference),
    deleteManifest: async (repository, digest) => manifests.delete(repository, digest),
    async deleteTag(repository, tag) {
      if (!index.removeTag(repository, tag))
        throw new WharfError('not-found', `${repository} has no tag ${tag}`);
    },
    async tags(repository, page) {
      const held = index.repositories.get(repository);
      if (!held) throw new WharfError('not-found', `no repository ${repository}`);
      return held.tagNames.page(page.limit, page.last);
    },
    repositories: async (page) => index.names.page(page.limit, page.last),
    referrers: (repository, digest, type) => manifests.referrers(repository, digest, type),

    needs: (digest) => index.needs(digest),
    collect: (how) =>
      collectGarbage(
        { content, index, uploads, now, neededElsewhere, leased: (key) => leases.has(key) },
        how,
      ),
    close: () => uploads.close(),
  };
}
