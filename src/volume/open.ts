import { lookup } from 'node:dns/promises';
import type { Logger } from '../base/index.ts';
import type { Database } from '../meta/types.ts';
import { attachLoop, limitProject, mount, mountInfo, mountLater, umount } from '../sys/index.ts';
import { LocalDriver, type VolumeMounter } from './local-driver.ts';
import { openPlugins, type PluginFolders, SYSTEM_PLUGIN_FOLDERS } from './plugin/index.ts';
import { makeDisk, type QuotaOps } from './quota.ts';
import { RecordedVolumes } from './store.ts';
import type { VolumeStore } from './types.ts';

/** Opens the volumes below `root`, mounting with the system's own calls; plugins are found where Docker's are. */
export function openVolumeStore(options: {
  root: string;
  database: Database;
  log: Logger;
  pluginFolders?: PluginFolders;
}): VolumeStore {
  const { root, database, log } = options;
  const local = new LocalDriver({
    root,
    log,
    mounter: systemMounter,
    quota: systemQuota,
    resolve: addressOf,
  });
  const plugins = openPlugins({
    folders: options.pluginFolders ?? SYSTEM_PLUGIN_FOLDERS,
    dataRoot: root,
    log,
  });
  return new RecordedVolumes({ local, plugins, database, log });
}

/** File systems whose mount waits for a server. */
const NETWORK_TYPES = new Set(['nfs', 'nfs4', 'cifs', 'smb3']);
/** How long a server has to answer. */
const PATIENCE_MS = 60_000;

/** The system's mount calls. */
export const systemMounter: VolumeMounter = {
  mount: ({ type, source, flags, data }, target) => {
    const bind = flags.includes('bind') || flags.includes('rbind');
    const request = { source, target, ...(bind ? {} : { type }), flags, data };
    return NETWORK_TYPES.has(type) && !bind ? mountLater(request, PATIENCE_MS) : mount(request);
  },
  unmount: (target) => umount(target, { detach: true }),
  mounts: () => mountInfo().map((entry) => entry.mountPoint),
};

/** The system's project quota and loop devices. */
export const systemQuota: QuotaOps = {
  limitProject,
  makeDisk,
  mountDisk: (file, target) => {
    // Let go after the mount: the device goes with its last user.
    using loop = attachLoop(file);
    mount({ source: loop.path, target, type: 'ext4', flags: ['nodev'], data: 'discard' });
  },
};

async function addressOf(name: string): Promise<string> {
  try {
    return (await lookup(name)).address;
  } catch (thrown) {
    throw new Error(`lookup ${name}: no such host`, { cause: thrown });
  }
}
