import { constants } from 'node:os';
import { systemError } from '../sys/index.ts';
import { type PackRules, TreePacker } from './tree-packer.ts';
import { resolveView, type TreeView, walk } from './view.ts';

/** What a thread packs. */
export interface PackRequest {
  rules: PackRules;
  view: TreeView;
  path: string;
  followRoot: boolean;
  /** The name of the entry itself; with `contentsOnly` it is put before what is in it, and has none. */
  name: string;
  contentsOnly: boolean;
}

/** A first small piece, for most trees are small; then large ones. */
const FIRST_PIECE = 1 << 16;
const PIECE = 1 << 20;

/** Packs a view piece by piece. */
export class PackJob implements Disposable {
  private readonly packer: TreePacker;
  private size = FIRST_PIECE;

  constructor({ rules, view, path, followRoot, name, contentsOnly }: PackRequest) {
    const resolved = resolveView(view);
    using place = walk(resolved, path, { followLast: followRoot });
    if (!place.fd) throw systemError('open', path, constants.errno.ENOENT);
    this.packer = new TreePacker(rules, resolved.mounts);
    if (contentsOnly) this.packer.addContents(place.fd, name, place.path);
    else this.packer.addEntry(place.fd, name, place.path);
  }

  /** The next piece, or undefined behind the last. */
  step(): Uint8Array<ArrayBuffer> | undefined {
    const piece = Buffer.allocUnsafeSlow(this.size);
    this.size = PIECE;
    const length = this.packer.fill(piece);
    return length === 0 ? undefined : piece.subarray(0, length);
  }

  /** Fills a piece of the caller's. Returns its bytes; none behind the last. */
  fill(piece: Buffer): number {
    return this.packer.fill(piece);
  }

  [Symbol.dispose](): void {
    this.packer[Symbol.dispose]();
  }
}
