import { constants } from 'node:os';
import { type Fd, systemError } from '../sys/index.ts';
import { isDirectory } from './entry-maker.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { TarIntake } from './tar-intake.ts';
import { type Located, resolveView, type TreeView, walk } from './view.ts';
import { type PlacementRules, ViewWriter } from './view-writer.ts';

/** What a thread extracts to. */
export interface ExtractRequest {
  view: TreeView;
  path: string;
  rules: Omit<PlacementRules, 'title'>;
}

/** What a caller sends is the caller's: bounds are there against packed bombs, not against large archives. */
const LIMITS = { ...DEFAULT_LIMITS, maxEntries: 2 ** 40, maxBytes: 2 ** 52 };
const OUTPUT_BYTES = 1 << 18;
// All jobs of this thread take turns and keep nothing in it between them.
let output: Buffer | undefined;

/** Extracts an archive, piece by piece, into a folder of a view, which is the root for all names in the archive. */
export class ExtractJob implements Disposable {
  private readonly place: Located;
  private readonly writer: ViewWriter;
  private readonly intake: TarIntake;

  constructor({ view, path, rules }: ExtractRequest) {
    const resolved = resolveView(view);
    this.place = walk(resolved, path, { followLast: true });
    const { fd, stat, readOnly } = this.place;
    if (!fd || !stat || !isDirectory(stat)) {
      this.place[Symbol.dispose]();
      throw systemError('open', path, fd ? constants.errno.ENOTDIR : constants.errno.ENOENT);
    }
    const inside = this.place.path === '/' ? '/' : `${this.place.path}/`;
    const mounts = [...resolved.mounts]
      .filter(([at]) => at !== this.place.path && at.startsWith(inside))
      .map(([at, mount]) => [at.slice(inside.length - 1), mount] as const);
    const root = { root: (fd as Fd).fd, readOnly, mounts: new Map(mounts) };
    this.writer = new ViewWriter(root, { ...rules, title: this.place.path });
    output ??= Buffer.allocUnsafeSlow(OUTPUT_BYTES);
    this.intake = new TarIntake(this.writer, { limits: LIMITS, output, onPlain: () => undefined });
  }

  /** Takes the next bytes of the archive. */
  push(bytes: Uint8Array): void {
    this.intake.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  /** Says that no more comes. */
  finish(): void {
    this.intake.finish();
    this.writer.finish();
  }

  [Symbol.dispose](): void {
    this.intake[Symbol.dispose]();
    this.writer[Symbol.dispose]();
    this.place[Symbol.dispose]();
  }
}
