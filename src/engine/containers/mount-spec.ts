import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import type { HostConfig, Mount } from '../../api/index.ts';
import { type ErrorKind, WharfError } from '../../base/index.ts';

/** A mount as asked for, in one form whatever field it came from. */
export interface MountWish {
  type: 'bind' | 'volume' | 'tmpfs' | 'image';
  /** Host path, volume name or image; empty for an anonymous volume and for tmpfs. */
  source: string;
  destination: string;
  readOnly: boolean;
  /** The mode text as inspect shows it. */
  mode: string;
  /** mount(8) words besides `ro`; for binds the recursion and the propagation. */
  options: string[];
  propagation: string;
  noCopy: boolean;
  createSource: boolean;
  driver: string;
  driverOptions: Record<string, string>;
  labels: Record<string, string>;
  subpath: string;
}

const PROPAGATIONS = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);
const TMPFS_DEFAULTS = ['noexec', 'nosuid', 'nodev'];
/** Words of `TmpfsOptions.Options`: as the reference, flags without value only. */
/** Words of mount(8) and fields of tmpfs(5) that `--tmpfs` takes. */
const TMPFS_FLAGS = new Set(
  [
    'defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync remount mand nomand atime noatime diratime',
    'nodiratime bind rbind unbindable runbindable private rprivate shared rshared slave rslave relatime norelatime',
    'strictatime nostrictatime',
  ].flatMap((line) => line.split(' ')),
);
const TMPFS_FIELDS = new Set(['mode', 'size', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol']);

const TMPFS_WORDS = new Set(['exec', 'noexec']);

const wish = (fields: Partial<MountWish> & Pick<MountWish, 'type' | 'destination'>): MountWish => ({
  source: '',
  readOnly: false,
  mode: '',
  options: [],
  propagation: fields.type === 'bind' ? 'rprivate' : '',
  noCopy: false,
  createSource: false,
  driver: '',
  driverOptions: {},
  labels: {},
  subpath: '',
  ...fields,
});

function refuse(message: string, kind: ErrorKind = 'invalid'): never {
  throw new WharfError(kind, message);
}

function checkPath(path: string): string | undefined {
  return path.startsWith('/') ? undefined : `invalid mount path: '${path}' mount path must be absolute`;
}

function checkDestination(path: string): string | undefined {
  if (path === '') return 'field Target must not be empty';
  const fault = checkPath(path);
  if (fault) return fault;
  if (path.includes('\0')) return 'invalid mount path: it contains a NUL character';
  return cleanPath(path) === '/' ? "invalid specification: destination can't be '/'" : undefined;
}

/** Without `.`, `..`, doubled and trailing slashes. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

/** Parses one entry of `Binds`: `/host:/path[:mode]`, `name:/path[:mode]` or `/path`. Errors: Docker's texts, with the reference's status 500. */
export function parseBind(spec: string, volumeDriver: string): MountWish {
  const fail = (fault?: string): never =>
    refuse(`invalid volume specification: '${spec}'${fault ? `: ${fault}` : ''}`, 'internal');
  const parts = spec.split(':');
  if (parts.length > 3 || parts[0] === '' || (parts.length === 2 && parts[1] === '')) fail();
  const [first = '', second, mode = ''] = parts;
  const destination = second ?? first;
  const source = second === undefined ? '' : first;
  const type = source.startsWith('/') ? 'bind' : 'volume';
  const inType = (fault: string) => fail(`invalid mount config for type "${type}": ${fault}`);
  const words = parseMode(mode);
  const fault = checkDestination(destination);
  if (fault) inType(fault);
  if (type === 'bind') {
    if (words.noCopy) inType('field VolumeOptions must not be specified');
    const propagation = words.propagation || 'rprivate';
    return wish({
      type,
      source: cleanPath(source),
      destination: cleanPath(destination),
      readOnly: words.readOnly,
      mode,
      propagation,
      options: ['rbind', propagation],
      createSource: true,
    });
  }
  if (words.propagation) inType('field BindOptions must not be specified');
  return wish({
    type,
    source,
    destination: cleanPath(destination),
    readOnly: words.readOnly,
    mode: source && mode === '' ? 'z' : mode,
    options: ['rbind'],
    noCopy: words.noCopy,
    driver: volumeDriver,
  });
}

function parseMode(mode: string): { readOnly: boolean; propagation: string; noCopy: boolean } {
  const parsed = { readOnly: false, propagation: '', noCopy: false };
  const seen = { access: 0, label: 0, propagation: 0, copy: 0, consistency: 0 };
  for (const word of mode === '' ? [] : mode.split(',')) {
    if (word === 'ro' || word === 'rw') {
      seen.access += 1;
      parsed.readOnly = word === 'ro';
    } else if (word === 'z' || word === 'Z') seen.label += 1;
    else if (PROPAGATIONS.has(word)) {
      seen.propagation += 1;
      parsed.propagation = word;
    } else if (word === 'nocopy') {
      seen.copy += 1;
      parsed.noCopy = true;
    } else if (['consistent', 'cached', 'delegated', 'default'].includes(word)) seen.consistency += 1;
    else refuse(`invalid mode: ${mode}`, 'internal');
  }
  if (Object.values(seen).some((count) => count > 1)) refuse(`invalid mode: ${mode}`, 'internal');
  return parsed;
}

/** Checks one entry of `Mounts` and brings it into the common form. Errors: `invalid`, with Docker's texts. */
export function parseMount(mount: Mount, sourceExists: (path: string) => boolean = existsSync): MountWish {
  const type = mount.Type ?? '';
  const fail = (fault: string): never => refuse(`invalid mount config for type "${type}": ${fault}`);
  if (type !== 'bind' && type !== 'volume' && type !== 'tmpfs' && type !== 'image')
    return fail('mount type unknown');
  const foreign = {
    BindOptions: 'bind',
    VolumeOptions: 'volume',
    TmpfsOptions: 'tmpfs',
    ImageOptions: 'image',
  } as const;
  for (const [field, owner] of Object.entries(foreign)) {
    if (mount[field as keyof Mount] && owner !== type) {
      if (owner === 'image') fail('field ImageOptions must not be specified');
      refuse(`${field} must not be specified on mount type "${type}"`);
    }
  }
  const fault = checkDestination(mount.Target ?? '');
  if (fault) fail(fault);
  const base = {
    type,
    destination: cleanPath(mount.Target ?? ''),
    readOnly: mount.ReadOnly === true,
  } as const;
  if (type === 'bind') return { ...parseBindMount(mount, fail, sourceExists), ...base };
  if (type === 'tmpfs') return { ...parseTmpfsMount(mount, fail), ...base };
  if (type === 'image') return { ...parseImageMount(mount, fail), ...base, readOnly: true };
  return { ...parseVolumeMount(mount, fail), ...base };
}

function parseBindMount(
  mount: Mount,
  fail: (fault: string) => never,
  sourceExists: (path: string) => boolean,
): MountWish {
  const { Source: source = '', BindOptions: options = {} } = mount;
  if (source === '') fail('field Source must not be empty');
  const fault = checkPath(source);
  if (fault) fail(fault);
  const propagation = options.Propagation || 'rprivate';
  if (!PROPAGATIONS.has(propagation)) fail(`invalid propagation mode: ${propagation}`);
  if (options.ReadOnlyForceRecursive && options.NonRecursive) {
    fail('ReadOnlyForceRecursive requires a recursive bind');
  }
  if (!options.CreateMountpoint && !sourceExists(source)) fail(`bind source path does not exist: ${source}`);
  const words = [options.NonRecursive ? 'bind' : 'rbind', propagation];
  if (mount.ReadOnly && options.ReadOnlyForceRecursive) words.push('rro');
  return wish({
    type: 'bind',
    destination: '',
    source: cleanPath(source),
    propagation,
    options: words,
    createSource: options.CreateMountpoint === true,
  });
}

function parseTmpfsMount(mount: Mount, fail: (fault: string) => never): MountWish {
  if (mount.Source) fail('field Source must not be specified');
  const { SizeBytes: size = 0, Mode: mode = 0, Options: options = [] } = mount.TmpfsOptions ?? {};
  const words: string[] = [];
  for (const [word = '', value] of options) {
    if (!TMPFS_WORDS.has(word) || value !== undefined) fail(`invalid option: ${word}`);
    words.push(word);
  }
  if (size < 0) fail(`invalid size: ${size}`);
  if (size > 0) words.push(`size=${size}`);
  if (mode > 0) words.push(`mode=${mode.toString(8)}`);
  return wish({ type: 'tmpfs', destination: '', options: tmpfsWords(words) });
}

function parseVolumeMount(mount: Mount, fail: (fault: string) => never): MountWish {
  const { Source: source = '', VolumeOptions: options = {} } = mount;
  const subpath = options.Subpath ?? '';
  if (subpath !== '' && source === '') fail('must not set Subpath when using anonymous volumes');
  checkSubpath(subpath, fail);
  return wish({
    type: 'volume',
    destination: '',
    source,
    mode: source ? 'z' : '',
    options: ['rbind'],
    noCopy: options.NoCopy === true,
    driver: options.DriverConfig?.Name ?? '',
    driverOptions: options.DriverConfig?.Options ?? {},
    labels: options.Labels ?? {},
    subpath,
  });
}

function parseImageMount(mount: Mount, fail: (fault: string) => never): MountWish {
  const { Source: source = '', ImageOptions: options = {} } = mount;
  if (source === '') fail('field Source must not be empty');
  const subpath = options.Subpath ?? '';
  checkSubpath(subpath, fail);
  return imageWish(source, subpath);
}

function checkSubpath(subpath: string, fail: (fault: string) => never): void {
  const clean = posix.normalize(subpath);
  if (clean.startsWith('/') || clean === '..' || clean.startsWith('../')) {
    fail('subpath must be a relative path within the volume');
  }
}

/** The entries of `HostConfig.Tmpfs`. Errors: `invalid`. */
export function parseTmpfs(tmpfs: HostConfig['Tmpfs']): MountWish[] {
  return Object.entries(tmpfs ?? {}).map(([destination, options]) => {
    const fault = checkPath(destination) ?? checkDestination(destination);
    if (fault) refuse(fault);
    const words = options.split(',').filter(Boolean);
    return wish({
      type: 'tmpfs',
      destination: cleanPath(destination),
      readOnly: words.includes('ro'),
      options: tmpfsWords(words),
    });
  });
}

/** Refuses words that no tmpfs has, when it is started, as Docker does. Errors: `internal`, with Docker's text. */
export function checkTmpfsWords(words: readonly string[]): void {
  const bad = words.find(
    (word) => !(word.includes('=') ? TMPFS_FIELDS : TMPFS_FLAGS).has(word.split('=')[0] ?? ''),
  );
  if (bad !== undefined)
    throw new WharfError('internal', `invalid tmpfs option ${JSON.stringify(bad.split('=')[0])}`);
}

/** Docker's defaults, each unless its opposite is asked for. */
function tmpfsWords(words: string[]): string[] {
  const opposite: Record<string, string> = { noexec: 'exec', nosuid: 'suid', nodev: 'dev' };
  const defaults = TMPFS_DEFAULTS.filter(
    (word) => !words.includes(word) && !words.includes(opposite[word] ?? ''),
  );
  return [...defaults, ...words];
}

/** An image, or what lies at a path of it; where, is to be said. */
export function imageWish(source: string, subpath: string): MountWish {
  return wish({ type: 'image', destination: '', source, subpath });
}

/** The anonymous volume of an entry of `Config.Volumes`. Errors: `invalid`. */
export function parseImageVolume(path: string): MountWish {
  const destination = cleanPath(path.startsWith('/') ? path : `/${path}`);
  if (destination === '/')
    refuse("invalid volume specification: '/': invalid specification: destination can't be '/'");
  return wish({ type: 'volume', destination, options: ['rbind'] });
}

/** `REF`, `REF:ro` or `REF:rw`. Errors: `invalid`, with Docker's texts. */
export function parseVolumesFrom(spec: string): { ref: string; readOnly: boolean } {
  if (spec === '') refuse('volumes-from specification cannot be an empty string');
  const at = spec.indexOf(':');
  if (at === 0) refuse('invalid name or ID supplied: ""');
  if (at < 0) return { ref: spec, readOnly: false };
  const mode = spec.slice(at + 1);
  for (const word of mode.split(',')) {
    if (!['ro', 'rw', 'z', 'Z'].includes(word)) refuse(`invalid mode: ${mode}`);
  }
  return { ref: spec.slice(0, at), readOnly: mode.split(',').includes('ro') };
}
