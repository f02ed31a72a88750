import type { StoredManifest } from './types.ts';

/** Larger documents are read from disk each time: they would push many small ones out. */
const LARGEST_CACHED = 1 << 20;

/** The documents that were asked for last, up to a number of bytes. */
export class ManifestCache {
  private readonly maxBytes: number;
  /** In the order of their last use. */
  private readonly entries = new Map<string, StoredManifest>();
  private bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get(key: string): StoredManifest | undefined {
    const entry = this.entries.get(key);
    if (entry) {
      this.entries.delete(key);
      this.entries.set(key, entry);
    }
    return entry;
  }

  put(key: string, manifest: StoredManifest): void {
    if (manifest.bytes.length > LARGEST_CACHED) return;
    this.delete(key);
    this.entries.set(key, manifest);
    this.bytes += manifest.bytes.length;
    for (const oldest of this.entries.keys()) {
      if (this.bytes <= this.maxBytes) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.entries.delete(key);
    this.bytes -= entry.bytes.length;
  }
}
