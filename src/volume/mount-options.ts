import { isIP } from 'node:net';
import { getSystemErrorMessage } from 'node:util';
import { WharfError } from '../base/index.ts';
import { parseVolumeSize } from './volume-size.ts';

const KNOWN = new Set(['type', 'o', 'device', 'size']);

/** The mount that a volume's options ask for, as arguments of mount(2). */
export interface VolumeMount {
  type: string;
  source: string;
  flags: string[];
  data: string;
}

/** Finds the address of a host name. Errors: any, with a text. */
export type ResolveHost = (name: string) => Promise<string>;

/** Words of mount(8) that are flags of mount(2) and not data for the filesystem, with their bits; 0 clears one, or is propagation. */
const FLAGS: ReadonlyMap<string, number> = new Map([
  ['ro', 1],
  ['nosuid', 2],
  ['nodev', 4],
  ['noexec', 8],
  ['sync', 16],
  ['noatime', 1024],
  ['nodiratime', 2048],
  ['bind', 4096],
  ['rbind', 4096 | 16384],
  ['relatime', 1 << 21],
  ['strictatime', 1 << 24],
  ...[
    'rw dev suid exec async atime diratime norelatime nostrictatime',
    'private rprivate shared rshared slave rslave',
  ].flatMap((line) => line.split(' ').map((word) => [word, 0] as const)),
]);

/** Refuses options that the local driver does not have, with Docker's texts. Errors: `invalid`. */
export function checkDriverOptions(name: string, options: Record<string, string>): void {
  const keys = Object.keys(options).sort();
  if (keys.length === 0) return;
  for (const key of keys) {
    if (!KNOWN.has(key)) throw new WharfError('invalid', `create ${name}: invalid option: "${key}"`);
  }
  const { size } = options;
  if (size !== undefined) parseVolumeSize(name, size);
  if (size !== undefined && keys.length === 1) return;
  if (size !== undefined) {
    const why =
      'the quota "size" is for volumes without "type", "device" and "o"; filesystems have options of their own';
    throw new WharfError('invalid', `create ${name}: ${why}`);
  }
  for (const key of ['device', 'type']) {
    if (options[key] === undefined)
      throw new WharfError('invalid', `create ${name}: missing required option: "${key}"`);
  }
}

/** The mount behind `type`, `o` and `device`; undefined for a plain directory. */
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

/**
 * Network filesystems want addresses, the kernel resolves no names: `addr=` of nfs and cifs, and without it the host of a
 * cifs share, are resolved. Errors: `internal`, with Docker's words.
 */
export async function resolveAddresses(mount: VolumeMount, resolve: ResolveHost): Promise<VolumeMount> {
  if (mount.type !== 'nfs' && mount.type !== 'cifs') return mount;
  const words = mount.data.split(',');
  const at = words.findIndex((word) => word.startsWith('addr='));
  if (at >= 0) {
    words[at] = `addr=${await addressOf((words[at] as string).slice('addr='.length), resolve)}`;
    return { ...mount, data: words.join(',') };
  }
  const share = mount.type === 'cifs' ? /^\/\/([^/]+)(\/.*)?$/.exec(mount.source) : null;
  if (!share) return mount;
  return { ...mount, source: `//${await addressOf(share[1] as string, resolve)}${share[2] ?? ''}` };
}

async function addressOf(host: string, resolve: ResolveHost): Promise<string> {
  if (host === '' || isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0) return host;
  try {
    return await resolve(host);
  } catch (thrown) {
    const why = WharfError.from(thrown).message;
    throw new WharfError('internal', `error resolving passed in network volume address: ${why}`, {
      cause: thrown,
    });
  }
}

/** Of mount.cifs(8): `password`, `pass`, their second ones, and what follows a user's name behind `%`. */
function withoutSecrets(data: string): string {
  return data
    .replace(/\b(pass(?:word)?2?)=[^,]*/g, '$1=********')
    .replace(/\b(user(?:name)?=[^,%]*%)[^,]*/g, '$1********');
}

/** What could not be mounted, as Docker says it; passwords are left out. Keeps the kind of the error. */
export function mountFailure(mount: VolumeMount, target: string, thrown: unknown): WharfError {
  const reason = WharfError.from(thrown);
  const bits = mount.flags.reduce((all, word) => all | (FLAGS.get(word) ?? 0), 0);
  const flags = bits === 0 ? '' : `, flags: 0x${bits.toString(16)}`;
  const data = mount.data === '' ? '' : `, data: ${withoutSecrets(mount.data)}`;
  const errno = (reason.cause as { errno?: unknown } | undefined)?.errno;
  const why = typeof errno === 'number' ? getSystemErrorMessage(errno) : reason.message;
  const text = `failed to mount local volume: mount ${mount.source}:${target}${flags}${data}: ${why}`;
  return new WharfError(reason.kind, text, { cause: thrown });
}
