import { isKind } from '../../base/index.ts';
import type { Snapshotter } from '../../snapshot/types.ts';

/** Bytes of a container's own changes, and of these with all layers below. Zero for a root filesystem that is gone. */
export async function containerSizes(
  snapshotter: Snapshotter,
  id: string,
): Promise<{ SizeRw: number; SizeRootFs: number }> {
  const sizes = { SizeRw: 0, SizeRootFs: 0 };
  for (let key: string | undefined = id; key !== undefined; ) {
    const info = snapshotter.stat(key);
    if (!info) break;
    try {
      const { bytes } = await snapshotter.usage(key);
      if (key === id) sizes.SizeRw = bytes;
      sizes.SizeRootFs += bytes;
    } catch (thrown) {
      if (!isKind(thrown, 'not-found')) throw thrown;
    }
    key = info.parent;
  }
  return sizes;
}
