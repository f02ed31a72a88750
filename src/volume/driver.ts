import type { Usage } from '../snapshot/types.ts';
import type { VolumeDetail, VolumeRecord } from './types.ts';

/** What a kind of volumes does; the store records them, counts users and lets one call at a time be about one volume. */
export interface VolumeDriver {
  readonly name: string;
  /** Makes what the volume is. `record` makes it known, durably: nothing stays when it throws. Errors: `invalid` options. */
  create(volume: VolumeRecord, record: () => void): Promise<void>;
  /** Takes the volume away; `forget` drops the record, durably: the volume is whole when it throws. */
  remove(volume: VolumeRecord, forget: () => void): Promise<void>;
  /** Empty when it is not known. */
  mountpoint(volume: VolumeRecord): string;
  /** One more user; `first` when nobody else has it. Returns the directory to bind. */
  acquire(volume: VolumeRecord, userId: string, first: boolean): Promise<string>;
  /** One user less; `last` when nobody else has it. */
  release(volume: VolumeRecord, userId: string, last: boolean): Promise<void>;
  detail(volume: VolumeRecord): Promise<VolumeDetail>;
  usage(volume: VolumeRecord): Promise<Usage>;
}
