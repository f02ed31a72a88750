import { createHmac, randomBytes } from 'node:crypto';
import { type Clock, type Logger, systemClock, WharfError } from '../../base/index.ts';
import { ReloadedFile } from './gatekeeper-file.ts';
import { BcryptVerifier } from './htpasswd-verifier.ts';
import type { Authenticator, User } from './types.ts';

/** How long a password that was right is taken without computing its hash again. */
const REMEMBERED_MS = 5 * 60_000;
const MAX_REMEMBERED = 10_000;
/** Longer passwords are wrong unseen. Of the others bcrypt looks at 72 bytes, as every htpasswd file has it. */
const MAX_PASSWORD_BYTES = 4096;

/** Costs above make a login take seconds; a file that has them is a mistake. */
const MAX_COST = 15;
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/** Other kinds of hashes, to refuse them by name. */
const OTHER_KINDS: readonly [RegExp, string][] = [
  [/^\$2x?\$/, 'an old, broken kind of bcrypt'],
  [/^\$2[aby]\$/, 'a damaged bcrypt hash'],
  [/^\$apr1\$/, 'MD5 (apr1)'],
  [/^\$1\$/, 'MD5 (crypt)'],
  [/^\{SHA\}/, 'SHA-1'],
  [/^\{SSHA\}/, 'salted SHA-1'],
  [/^\$5\$/, 'SHA-256 (crypt)'],
  [/^\$6\$/, 'SHA-512 (crypt)'],
  [/^\$y\$/, 'yescrypt'],
  [/^\$argon2/, 'Argon2'],
];

/**
 * Reads an htpasswd file: bcrypt hash by user. Errors: `invalid`, naming file and line, for any other kind of hash, a
 * user who is there twice and a line that is none.
 */
export function parseHtpasswd(text: string, path: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  text.split('\n').forEach((raw, at) => {
    const line = raw.replace(/\r$/, '');
    if (line.trim() === '' || line.startsWith('#')) return;
    const wrong = (what: string) => new WharfError('invalid', `${path}, line ${at + 1}: ${what}`);
    const colon = line.indexOf(':');
    if (colon < 1) throw wrong('"user:hash" is needed');
    const user = line.slice(0, colon);
    const hash = line.slice(colon + 1);
    if (users.has(user)) throw wrong(`the user "${user}" is there twice`);
    const cost = Number(BCRYPT.exec(hash)?.[1] ?? Number.NaN);
    if (Number.isNaN(cost)) throw wrong(`${kindOf(hash)} instead of bcrypt; use "htpasswd -B"`);
    if (cost < 4 || cost > MAX_COST)
      throw wrong(`a bcrypt hash of cost ${cost}; between 4 and ${MAX_COST} are taken`);
    users.set(user, hash);
  });
  return users;
}

function kindOf(hash: string): string {
  return OTHER_KINDS.find(([pattern]) => pattern.test(hash))?.[1] ?? 'a plain password, or DES (crypt)';
}

/**
 * The users of an htpasswd file. The file is read again when it changes. A password that was right is remembered for five
 * minutes as a keyed hash (never as itself), bound to the user's entry: a changed entry is forgotten at once.
 */
export class HtpasswdUsers implements Authenticator, Disposable {
  private readonly file: ReloadedFile<ReadonlyMap<string, string>>;
  private readonly clock: Pick<Clock, 'monotonic'>;
  private readonly verifier = new BcryptVerifier();
  private readonly key = randomBytes(32);
  private readonly remembered = new Map<string, number>();
  private readonly underway = new Map<string, Promise<boolean>>();

  /** Errors: `invalid` when the file can't be read or holds anything but bcrypt hashes. */
  constructor(path: string, log: Logger, clock: Pick<Clock, 'monotonic'> = systemClock) {
    this.file = new ReloadedFile(path, { parse: parseHtpasswd, nothing: new Map() }, log, clock);
    this.clock = clock;
  }

  /** The user's entry as the file has it now, which a new password changes. Not for the eyes of others. */
  entry(username: string): string | undefined {
    return this.file.current().get(username);
  }

  /** Whether this very password is being checked now. */
  isUnderway(username: string, password: string): boolean {
    return this.underway.has(this.nameOf(username, this.entry(username) ?? '', password));
  }

  /** True when this very password was found right a short while ago; says nothing when false. */
  isRemembered(username: string, password: string): boolean {
    const hash = this.file.current().get(username);
    if (hash === undefined) return false;
    const name = this.nameOf(username, hash, password);
    const until = this.remembered.get(name);
    if (until === undefined) return false;
    if (until > this.clock.monotonic()) return true;
    this.remembered.delete(name);
    return false;
  }

  /** Errors: `rate-limited` while too many others wait for theirs. */
  async check(username: string, password: string): Promise<User> {
    if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return undefined;
    if (this.isRemembered(username, password)) return username;
    const users = this.file.current();
    const hash = users.get(username);
    const name = this.nameOf(username, hash ?? '', password);
    // A client opens several connections at once, each with the same password: computed once.
    const running = this.underway.get(name) ?? this.compare(name, password, hash ?? decoy(users));
    const right = (await running) && hash !== undefined;
    if (!right) return undefined;
    this.remember(name);
    return username;
  }

  [Symbol.dispose](): void {
    this.verifier[Symbol.dispose]();
  }

  private compare(name: string, password: string, hash: string): Promise<boolean> {
    const running = this.verifier.verify(password, hash).finally(() => this.underway.delete(name));
    this.underway.set(name, running);
    return running;
  }

  private remember(name: string): void {
    this.remembered.delete(name);
    this.remembered.set(name, this.clock.monotonic() + REMEMBERED_MS);
    // The oldest goes first; a Map keeps the order in which keys came.
    for (const oldest of this.remembered.keys()) {
      if (this.remembered.size <= MAX_REMEMBERED) break;
      this.remembered.delete(oldest);
    }
  }

  private nameOf(username: string, hash: string, password: string): string {
    return createHmac('sha256', this.key).update(`${username}\0${hash}\0${password}`).digest('base64');
  }
}

/** A hash for users who are not there, so that they cost as much as the others. */
function decoy(users: ReadonlyMap<string, string>): string {
  let cost = '10';
  for (const hash of users.values()) {
    cost = hash.slice(4, 6);
    break;
  }
  return `$2b$${cost}$${'.'.repeat(53)}`;
}
