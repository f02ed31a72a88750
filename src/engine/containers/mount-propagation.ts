import { realpathSync } from 'node:fs';
import { WharfError } from '../../base/index.ts';
import { type MountInfo, mountInfo } from '../../sys/index.ts';

/** What a propagation needs of the mount that its source lies on: one of these marks (proc(5), "optional fields"). */
const NEEDED: Readonly<Record<string, { marks: string[]; text: string }>> = {
  shared: { marks: ['shared:'], text: 'a shared mount' },
  slave: { marks: ['shared:', 'master:'], text: 'a shared or slave mount' },
};

/**
 * Mounts can pass between host and container only when the source lies on a mount that takes part. Errors: `internal`
 * with Docker's text.
 */
export function checkPropagation(
  source: string,
  propagation: string,
  mounts: () => MountInfo[] = mountInfo,
): void {
  const needed = NEEDED[propagation.replace(/^r/, '')];
  if (!needed) return;
  const path = realpathSync(source);
  const mount = mountOf(path, mounts());
  if (mount?.optional.some((field) => needed.marks.some((mark) => field.startsWith(mark)))) return;
  const where = mount?.mountPoint ?? '/';
  throw new WharfError('internal', `path ${source} is mounted on ${where} but it is not ${needed.text}`);
}

/** The mount that shows a path: the deepest one, of those on one point the latest. */
function mountOf(path: string, mounts: MountInfo[]): MountInfo | undefined {
  const holds = ({ mountPoint }: MountInfo) =>
    mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`);
  return mounts
    .filter(holds)
    .reduce<MountInfo | undefined>(
      (best, mount) => (best && best.mountPoint.length > mount.mountPoint.length ? best : mount),
      undefined,
    );
}
