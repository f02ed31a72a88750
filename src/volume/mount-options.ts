import { WharfError } from '../base/index.ts';

const KNOWN = new Set(['type', 'o', 'device', 'size']);

/** The mount that a volume's options ask for, as arguments of mount(2). */
export interface VolumeMount {
  type: string;
  source: string;
  flags: string[];
  data: string;
}

/** Words of mount(8) that are flags of mount(2) and not data for the filesystem. */
const FLAGS = new Set(
  [
    'ro rw bind rbind nodev dev nosuid suid noexec exec sync async noatime atime nodiratime diratime',
    'relatime norelatime strictatime nostrictatime private rprivate shared rshared slave rslave',
  ].flatMap((line) => line.split(' ')),
);

/** Refuses options that the local driver does not have, with Docker's texts. Errors: `invalid`. */
export function checkDriverOptions(name: string, options: Record<string, string>): void {
  const keys = Object.keys(options);
  if (keys.length === 0) return;
  for (const key of keys) {
    if (!KNOWN.has(key)) throw new WharfError('invalid', `create ${name}: invalid option: "${key}"`);
  }
  if (options['size'] !== undefined) {
    throw new WharfError('invalid', `create ${name}: quota size requested but no quota support`);
  }
  for (const key of ['device', 'type']) {
    if (!options[key]) throw new WharfError('invalid', `create ${name}: missing required option: "${key}"`);
  }
}

/**
 * The mount behind `type`, `o` and `device`; undefined for a plain directory. `addr=` of network filesystems must be an
 * address: names are resolved by the caller's own tools, not by a root daemon.
 */
export function volumeMount(options: Record<string, string>): VolumeMount | undefined {
  const { type, device } = options;
  if (!type || !device) return undefined;
  const flags: string[] = [];
  const data: string[] = [];
  for (const word of (options['o'] ?? '').split(',').filter(Boolean)) {
    (FLAGS.has(word) ? flags : data).push(word);
  }
  return { type, source: device, flags, data: data.join(',') };
}
