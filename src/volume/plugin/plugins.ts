import { type Logger, WharfError } from '../../base/index.ts';
import type { VolumeDriver } from '../driver.ts';
import type { VolumeDetail, VolumeRecord } from '../types.ts';
import { type CallLimits, callPlugin } from './call.ts';
import { findPlugin, type PluginFolders, pluginNames } from './discover.ts';
import { PluginDriver } from './plugin-driver.ts';

/** The volume plugins of this host. */
export interface Plugins {
  /** A driver that finds its plugin at each call, since plugins come and go; `what` begins the text when there is none. */
  driver(name: string, what: string): VolumeDriver;
  /** Whether it is described or has a socket. */
  has(name: string): boolean;
  /** Names of those that told they keep volumes. */
  names(): string[];
  /** A volume that some plugin has, and nobody made here. */
  find(name: string): Promise<VolumeDetail | undefined>;
  /** Of all that are recorded those of plugins, with what these say of them, and what plugins have on their own. */
  list(recorded: readonly VolumeRecord[]): Promise<{ volumes: VolumeDetail[]; warnings: string[] }>;
}

export interface PluginsOptions {
  folders: PluginFolders;
  dataRoot: string;
  log: Logger;
  /** How long calls may take; for tests. */
  limits?: { work: CallLimits; look: CallLimits };
}

/** Making and mounting may wait for storage somewhere; asking may not hold up a list. */
const LIMITS = {
  work: { answerMs: 60_000, connectMs: 5_000 },
  look: { answerMs: 5_000, connectMs: 500 },
};

/** Opens the plugins found in those folders; nothing is called before it is needed. */
export function openPlugins(options: PluginsOptions): Plugins {
  const { folders, dataRoot, log, limits = LIMITS } = options;
  const active = new Map<string, { address: string; driver: PluginDriver; asking: PluginDriver }>();

  const activate = async (name: string): Promise<{ driver: PluginDriver; asking: PluginDriver }> => {
    const address = findPlugin(folders, name);
    if (!address) throw new WharfError('not-found', `plugin "${name}" not found`);
    const key = JSON.stringify(address);
    const known = active.get(name);
    if (known?.address === key) return known;
    const { Implements: kinds } = await callPlugin(address, 'Plugin.Activate', undefined, limits.look);
    if (!Array.isArray(kinds) || !kinds.includes('VolumeDriver'))
      throw new WharfError('not-found', `plugin "${name}" does not implement VolumeDriver`);
    const scope = await scopeOf(() => callPlugin(address, 'VolumeDriver.Capabilities', {}, limits.look));
    const own = { name, address, scope, dataRoot, log };
    const made = {
      address: key,
      driver: new PluginDriver({ ...own, limits: limits.work }),
      asking: new PluginDriver({ ...own, limits: limits.look }),
    };
    active.set(name, made);
    return made;
  };

  const reach = async (
    name: string,
    what: string,
  ): Promise<{ driver: PluginDriver; asking: PluginDriver }> => {
    try {
      return await activate(name);
    } catch (thrown) {
      const { kind, message } = WharfError.from(thrown);
      throw new WharfError(kind, `${what}: error looking up volume plugin ${name}: ${message}`, {
        cause: thrown,
      });
    }
  };

  const told = async (volume: VolumeRecord): Promise<VolumeDetail> => {
    try {
      return await (await activate(volume.driver)).asking.detail(volume);
    } catch (thrown) {
      return away(volume, thrown);
    }
  };

  return {
    driver: (name, what) => ({
      name,
      create: async (volume, record) => (await reach(name, what)).driver.create(volume, record),
      remove: async (volume, forget) => (await reach(name, what)).driver.remove(volume, forget),
      mountpoint: (volume) => active.get(name)?.driver.mountpoint(volume) ?? '',
      acquire: async (volume, userId) => (await reach(name, what)).driver.acquire(volume, userId),
      release: async (volume, userId) => (await reach(name, what)).driver.release(volume, userId),
      detail: told,
      usage: async () => ({ bytes: 0, inodes: 0 }),
    }),
    has: (name) => findPlugin(folders, name) !== undefined,
    names: () => [...active.keys()].sort(),
    async find(name) {
      const found = pluginNames(folders).map(async (plugin) => (await activate(plugin)).asking.find(name));
      // Whoever has it; that others know nothing of it, or don't answer, says nothing.
      return Promise.any(found).catch(() => undefined);
    },
    list: (recorded) => listAll(folders, recorded, { active, activate }),
  };
}

/** Asks all plugins at once; one that fails costs its own volumes' details only. */
async function listAll(
  folders: PluginFolders,
  recorded: readonly VolumeRecord[],
  {
    active,
    activate,
  }: { active: ReadonlyMap<string, unknown>; activate: (name: string) => Promise<{ asking: PluginDriver }> },
): Promise<{ volumes: VolumeDetail[]; warnings: string[] }> {
  const known = new Map(recorded.map((volume) => [volume.name, volume]));
  const warnings: string[] = [];
  const names = new Set([...pluginNames(folders), ...recorded.map(({ driver }) => driver)]);
  names.delete('local');
  const lists = await Promise.all(
    [...names].map(async (name) => {
      const own = recorded.filter(({ driver }) => driver === name);
      try {
        return merged(own, known, await (await activate(name)).asking.list());
      } catch (thrown) {
        if (own.length > 0 || active.has(name))
          warnings.push(`volumes of plugin ${name} not asked for: ${WharfError.from(thrown).message}`);
        return own.map((volume) => away(volume, thrown));
      }
    }),
  );
  return { volumes: lists.flat(), warnings };
}

/** Recorded ones, with what the plugin says; of those it has on its own the ones whose names are free. */
function merged(
  own: VolumeRecord[],
  known: ReadonlyMap<string, VolumeRecord>,
  listed: VolumeDetail[],
): VolumeDetail[] {
  const byName = new Map(listed.map((detail) => [detail.volume.name, detail]));
  const recorded = own.map((volume) => {
    const detail = byName.get(volume.name);
    return detail ? { ...detail, volume } : { volume, mountpoint: '', scope: 'local' as const };
  });
  return [...recorded, ...[...byName.values()].filter(({ volume }) => !known.has(volume.name))];
}

/** A volume whose plugin does not answer is still there, and says why. */
function away(volume: VolumeRecord, thrown: unknown): VolumeDetail {
  return { volume, mountpoint: '', scope: 'local', status: { Error: WharfError.from(thrown).message } };
}

async function scopeOf(ask: () => Promise<Record<string, unknown>>): Promise<'local' | 'global'> {
  try {
    const { Capabilities: told } = await ask();
    const scope = typeof told === 'object' && told !== null ? (told as Record<string, unknown>)['Scope'] : '';
    return scope === 'global' ? 'global' : 'local';
  } catch {
    // Older plugins don't know the question; what they keep is this host's.
    return 'local';
  }
}
