import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shutDownFilesystem } from '../../../src/sys/index.ts';
import { eventually } from './command.ts';
import { guard } from './guardian.ts';

/** How each kind is made: for ext4 without blocks that only root may use, as the tests are root. */
const MAKE = {
  ext4: ['mkfs.ext4', '-q', '-F', '-m', '0'],
  xfs: ['mkfs.xfs', '-q', '-f'],
} as const;
export type FilesystemKind = keyof typeof MAKE;

/** Why a kind of filesystem can't be had on this machine; false when it can. */
export function lacksFilesystem(kind: FilesystemKind): string | false {
  if (spawnSync(MAKE[kind][0], ['-V']).error) return `${MAKE[kind][0]} is not installed`;
  return false;
}

/** A filesystem in a file, on a loop device: it can lose power and be full without harm to anything else. */
export class FilesystemLab {
  readonly #folder = mkdtempSync(join(tmpdir(), 'wharf-disk-'));
  readonly #root = join(this.#folder, 'root');
  readonly #image = join(this.#folder, 'image');
  readonly #ballast = join(this.#root, 'ballast');
  /** For the daemon's data root; there once the lab is built. */
  readonly dataRoot = join(this.#root, 'data');
  readonly #release = guard({ kind: 'filesystem', root: this.#root, folder: this.#folder });
  readonly #kind: FilesystemKind;
  readonly #bytes: number;

  constructor(kind: FilesystemKind, bytes: number) {
    this.#kind = kind;
    this.#bytes = bytes;
  }

  build(): void {
    mkdirSync(this.#root);
    writeFileSync(this.#image, '');
    truncateSync(this.#image, this.#bytes);
    const [file, ...flags] = MAKE[this.#kind];
    execFileSync(file, [...flags, this.#image]);
    this.#mount();
    mkdirSync(this.dataRoot);
  }

  #mount(): void {
    execFileSync('mount', ['-o', 'loop', this.#image, this.#root]);
  }

  /** From now on nothing reaches the disk, neither data nor the journal, as when the power goes. */
  shutDown(): void {
    shutDownFilesystem(this.#root, 'no-log-flush');
  }

  /** Mounts it again, by which its journal is played. Whoever used it must be gone or just going. */
  async remount(): Promise<void> {
    await this.#unmount();
    this.#mount();
  }

  #unmount(): Promise<unknown> {
    const look = () => spawnSync('umount', [this.#root], { encoding: 'utf8' });
    return eventually(look, ({ status }) => status === 0, `${this.#root} is unmounted`);
  }

  /** What was written so far is on the disk. */
  sync(): void {
    execFileSync('sync', ['--file-system', this.#root]);
  }

  /** Takes all room but so many bytes. */
  fill(leave: number): void {
    this.sync();
    const { bavail, bsize } = statfsSync(this.#root);
    const room = bavail * bsize - leave;
    if (room > 0) spawnSync('fallocate', ['--length', String(room), this.#ballast]);
    if (leave === 0) this.#fillRest();
    this.sync();
  }

  #fillRest(): void {
    const file = openSync(this.#ballast, 'a');
    const block = Buffer.alloc(4096, 7);
    try {
      for (;;) writeSync(file, block);
    } catch (thrown) {
      assert.equal((thrown as NodeJS.ErrnoException).code, 'ENOSPC');
    } finally {
      closeSync(file);
    }
  }

  /** Gives back the room that `fill` took. */
  relieve(): void {
    rmSync(this.#ballast, { force: true });
  }

  async remove(): Promise<void> {
    await this.#unmount();
    rmSync(this.#folder, { recursive: true });
    this.#release();
  }
}
