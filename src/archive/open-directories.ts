import { type Fd, mkdirAllInRoot } from '../sys/index.ts';

const MOST = 64;

/** Directories below a root that were written to lately, open by their cleaned paths; the root itself is the caller's. */
export class OpenDirectories implements Disposable {
  private readonly root: Fd;
  private readonly byPath = new Map<string, Fd>();
  private readonly stale: Fd[] = [];

  constructor(root: Fd) {
    this.root = root;
  }

  /** The directory of that path, which is made when it is missing. */
  open(path: string): Fd {
    if (path === '') return this.root;
    const known = this.byPath.get(path);
    if (known) return known;
    const opened = mkdirAllInRoot(this.root, path, 0o755, { uid: 0, gid: 0 });
    this.remember(path, opened);
    return opened;
  }

  /** Keeps a directory that is open already. */
  remember(path: string, directory: Fd): void {
    this.byPath.get(path)?.close();
    this.byPath.delete(path);
    this.byPath.set(path, directory);
    if (this.byPath.size <= MOST) return;
    const [oldest, fd] = this.byPath.entries().next().value as [string, Fd];
    this.byPath.delete(oldest);
    fd.close();
  }

  /** Says that paths may lead elsewhere now. What is open stays so until `closeForgotten`, because someone is using it. */
  forget(): void {
    this.stale.push(...this.byPath.values());
    this.byPath.clear();
  }

  closeForgotten(): void {
    for (const directory of this.stale.splice(0)) directory.close();
  }

  [Symbol.dispose](): void {
    this.forget();
    this.closeForgotten();
  }
}
