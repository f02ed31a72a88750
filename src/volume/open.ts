import type { Logger } from '../base/index.ts';
import type { Database } from '../meta/types.ts';
import { mount, mountInfo, umount } from '../sys/index.ts';
import { LocalVolumeStore, type VolumeMounter } from './store.ts';
import type { VolumeStore } from './types.ts';

/** Opens the volumes below `root`, mounting with the system's own calls. */
export function openVolumeStore(options: { root: string; database: Database; log: Logger }): VolumeStore {
  return new LocalVolumeStore({ ...options, mounter: systemMounter });
}

const systemMounter: VolumeMounter = {
  mount: ({ type, source, flags, data }, target) => {
    const bind = flags.includes('bind') || flags.includes('rbind');
    mount({ source, target, ...(bind || type === 'none' ? {} : { type }), flags, data });
  },
  unmount: (target) => umount(target, { detach: true }),
  mounted: (target) => mountInfo().some((entry) => entry.mountPoint === target),
};
