import { WharfError } from '../base/index.ts';
import { type Fd, readFileInRoot } from '../sys/index.ts';
import type { ResolvedUser } from './spec-input.ts';

/** Passwd and group files are an image's: never read more than this, nor lines longer than this. */
const FILE_LIMIT = 4 * 1024 * 1024;
const LINE_LIMIT = 64 * 1024;
const ID_MAXIMUM = 2147483647;

interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

function* fields(text: string, least: number): Generator<string[]> {
  for (const line of text.split('\n')) {
    if (line.length > LINE_LIMIT) continue;
    const parts = line.trim().split(':');
    if (parts.length >= least && parts[0] && !line.startsWith('#')) yield parts;
  }
}

function identifier(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= ID_MAXIMUM ? value : undefined;
}

/** Parses passwd(5); malformed lines are left out. */
export function parsePasswd(text: string): PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const [name = '', , uidText, gidText, , home = ''] of fields(text, 4)) {
    const uid = identifier(uidText);
    const gid = identifier(gidText);
    if (uid !== undefined && gid !== undefined) entries.push({ name, uid, gid, home });
  }
  return entries;
}

/** Parses group(5); malformed lines are left out. */
export function parseGroup(text: string): GroupEntry[] {
  const entries: GroupEntry[] = [];
  for (const [name = '', , gidText, members = ''] of fields(text, 3)) {
    const gid = identifier(gidText);
    if (gid !== undefined) entries.push({ name, gid, members: members.split(',').filter(Boolean) });
  }
  return entries;
}

/** A file of the image; empty when it is missing, no regular file or too large to be what it claims. */
function read(root: Fd | string, path: string): string {
  try {
    return readFileInRoot(root, path, FILE_LIMIT)?.toString('utf8') ?? '';
  } catch (thrown) {
    // A hostile file must not keep a numeric user from starting; a name then has no entry.
    if (thrown instanceof WharfError) return '';
    throw thrown;
  }
}

/** A number in the sense of `--user`: all digits, or with a sign; `+0` and `00` are 0, as Docker reads them. */
function asNumber(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = Number(text);
  if (value < 0 || value > ID_MAXIMUM)
    throw new WharfError('invalid', `uids and gids must be in range 0-${ID_MAXIMUM}`);
  return value;
}

function groupId(text: string, groups: readonly GroupEntry[]): number {
  const number = asNumber(text);
  if (number !== undefined) return number;
  const entry = groups.find(({ name }) => name === text);
  if (entry) return entry.gid;
  throw new WharfError('invalid', `unable to find group ${text}: no matching entries in group file`);
}

/**
 * Resolves `user[:group]` (names or numbers; empty is root) and `HostConfig.GroupAdd` in a root filesystem.
 * Errors: `invalid` with Docker's texts ("unable to find user X: no matching entries in passwd file").
 */
export function resolveUser(root: Fd | string, spec: string, groupAdd: readonly string[] = []): ResolvedUser {
  const [userText = '', groupText = ''] = spec.split(/:(.*)/s, 2);
  const passwd = parsePasswd(read(root, '/etc/passwd'));
  const groups = parseGroup(read(root, '/etc/group'));
  const number = asNumber(userText || '0');
  const entry = passwd.find(({ name, uid }) => (number === undefined ? name === userText : uid === number));
  if (!entry && number === undefined)
    throw new WharfError('invalid', `unable to find user ${userText}: no matching entries in passwd file`);
  const uid = number ?? entry?.uid ?? 0;
  const gid = groupText ? groupId(groupText, groups) : (entry?.gid ?? 0);
  const own =
    groupText || !entry
      ? []
      : groups.filter(({ members }) => members.includes(entry.name)).map((group) => group.gid);
  const added = groupAdd.map((text) => groupId(text, groups));
  return {
    uid,
    gid,
    additionalGids: [...new Set([gid, ...own, ...added])],
    home: entry?.home || '/',
    name: entry?.name ?? '',
  };
}
