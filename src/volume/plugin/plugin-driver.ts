import { realpath, stat } from 'node:fs/promises';
import { normalize } from 'node:path';
import { deadline, type Logger, WharfError } from '../../base/index.ts';
import type { Usage } from '../../snapshot/types.ts';
import type { VolumeDriver } from '../driver.ts';
import type { VolumeDetail, VolumeRecord } from '../types.ts';
import { type CallLimits, callPlugin } from './call.ts';
import type { PluginAddress } from './discover.ts';

export interface PluginDriverOptions {
  name: string;
  address: PluginAddress;
  limits: CallLimits;
  scope: 'local' | 'global';
  /** No volume may show it: what a plugin says its mount point is becomes a container's to write. */
  dataRoot: string;
  log: Logger;
}

const STAT_MS = 5_000;

/** A volume plugin, by Docker's protocol v1. It is believed as little as can be. */
export class PluginDriver implements VolumeDriver {
  readonly name: string;
  readonly scope: 'local' | 'global';
  private readonly options: PluginDriverOptions;
  private readonly mountpoints = new Map<string, string>();

  constructor(options: PluginDriverOptions) {
    this.name = options.name;
    this.scope = options.scope;
    this.options = options;
  }

  async create(volume: VolumeRecord, record: () => void): Promise<void> {
    const named = async <T>(work: Promise<T>) => prefixed(`create ${volume.name}`, work);
    const there = await this.get(volume.name).catch(() => undefined);
    if (!there) {
      const options = Object.keys(volume.options).length > 0 ? volume.options : null;
      await named(this.call('VolumeDriver.Create', { Name: volume.name, Opts: options }));
    }
    try {
      record();
    } catch (thrown) {
      if (!there) await this.call('VolumeDriver.Remove', { Name: volume.name });
      throw thrown;
    }
  }

  async remove(volume: VolumeRecord, forget: () => void): Promise<void> {
    await prefixed(`remove ${volume.name}`, this.call('VolumeDriver.Remove', { Name: volume.name }));
    this.mountpoints.delete(volume.name);
    forget();
  }

  mountpoint(volume: VolumeRecord): string {
    return this.mountpoints.get(volume.name) ?? '';
  }

  async acquire(volume: VolumeRecord, userId: string): Promise<string> {
    const body = { Name: volume.name, ID: userId };
    const what = `error while mounting volume '${this.mountpoint(volume)}'`;
    const answer = await prefixed(what, this.call('VolumeDriver.Mount', body));
    try {
      const mountpoint = await prefixed(what, this.checked(answer['Mountpoint']));
      this.mountpoints.set(volume.name, mountpoint);
      return mountpoint;
    } catch (thrown) {
      await this.release(volume, userId).catch((error) => {
        this.options.log.warn('volume not unmounted by its plugin', { volume: volume.name, error });
      });
      throw thrown;
    }
  }

  async release(volume: VolumeRecord, userId: string): Promise<void> {
    await this.call('VolumeDriver.Unmount', { Name: volume.name, ID: userId });
  }

  async detail(volume: VolumeRecord): Promise<VolumeDetail> {
    const told = await this.get(volume.name);
    if (told.mountpoint) this.mountpoints.set(volume.name, told.mountpoint);
    const { createdAt = volume.createdAt } = told;
    return {
      volume: { ...volume, createdAt },
      mountpoint: told.mountpoint,
      scope: this.scope,
      ...(told.status ? { status: told.status } : {}),
    };
  }

  /** Lies elsewhere. */
  async usage(): Promise<Usage> {
    return { bytes: 0, inodes: 0 };
  }

  /** The volumes that it says it has, as if they had been made here without options. */
  async list(): Promise<VolumeDetail[]> {
    const { Volumes: volumes } = await this.call('VolumeDriver.List', {});
    if (volumes === undefined || volumes === null) return [];
    if (!Array.isArray(volumes)) throw new WharfError('internal', 'VolumeDriver.List: Volumes is no list');
    return volumes.flatMap((one) => {
      const told = readVolume(one);
      return told.name === '' ? [] : [this.own(told)];
    });
  }

  /** One that it has on its own. Errors: those of the call. */
  async find(name: string): Promise<VolumeDetail> {
    return this.own({ ...(await this.get(name)), name });
  }

  private own(told: ToldVolume): VolumeDetail {
    const { name, mountpoint, createdAt = '', status } = told;
    const volume = { name, driver: this.name, options: {}, labels: {}, createdAt, anonymous: false };
    return { volume, mountpoint, scope: this.scope, ...(status ? { status } : {}) };
  }

  private async get(name: string): Promise<ToldVolume> {
    const { Volume: volume } = await this.call('VolumeDriver.Get', { Name: name });
    const told = readVolume(volume);
    if (told.name === name) return told;
    throw new WharfError(
      'internal',
      `VolumeDriver.Get: the plugin answered with another volume than ${name}`,
    );
  }

  private call(method: string, body: unknown): Promise<Record<string, unknown>> {
    return callPlugin(this.options.address, method, body, this.options.limits);
  }

  private async checked(mountpoint: unknown): Promise<string> {
    const refuse = (why: string): never => {
      throw new WharfError('internal', `VolumeDriver.Mount: ${why}`);
    };
    if (typeof mountpoint !== 'string' || mountpoint === '') return refuse('the plugin names no mount point');
    if (!mountpoint.startsWith('/') || mountpoint.includes('\0'))
      return refuse(`not an absolute path: ${mountpoint}`);
    const named = normalize(mountpoint).replace(/(.)\/$/, '$1');
    // Where links lead is what counts, and what is mounted.
    const path = await deadline(
      STAT_MS,
      `looking at ${named}`,
      realpath(named).catch(() => undefined),
    );
    if (path === undefined) return refuse(`${named} is no directory`);
    const { dataRoot } = this.options;
    if (
      path === '/' ||
      dataRoot === path ||
      dataRoot.startsWith(`${path}/`) ||
      path.startsWith(`${dataRoot}/`)
    )
      return refuse(`${path} holds what is the engine's own`);
    const found = await deadline(
      STAT_MS,
      `looking at ${path}`,
      stat(path).catch(() => undefined),
    );
    return found?.isDirectory() ? path : refuse(`${path} is no directory`);
  }
}

interface ToldVolume {
  name: string;
  mountpoint: string;
  createdAt?: string;
  status?: Record<string, unknown>;
}

/** What a plugin says of a volume, as far as it has the form of the protocol. */
function readVolume(told: unknown): ToldVolume {
  const fields = (typeof told === 'object' && told !== null ? told : {}) as Record<string, unknown>;
  const text = (key: string) => (typeof fields[key] === 'string' ? fields[key] : '');
  const { Status: status } = fields;
  return {
    name: text('Name'),
    mountpoint: text('Mountpoint'),
    ...(text('CreatedAt') && !Number.isNaN(Date.parse(text('CreatedAt')))
      ? { createdAt: text('CreatedAt') }
      : {}),
    ...(typeof status === 'object' && status !== null ? { status: status as Record<string, unknown> } : {}),
  };
}

async function prefixed<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    const reason = WharfError.from(thrown);
    throw new WharfError(reason.kind, `${what}: ${reason.message}`, { cause: thrown });
  }
}
