import { type Clock, type Logger, systemClock, WharfError } from '../../base/index.ts';
import { ReloadedFile } from './gatekeeper-file.ts';
import type { AccessPolicy, Action, User } from './types.ts';

/** Who a right is given to: names of users, `*` for everyone who is logged in. */
type Grantees = ReadonlySet<string>;

/** What one rule says of the repositories that it matches. */
interface Rule {
  readonly pattern: string;
  readonly matches: RegExp;
  /** Anyone pulls, without a login, too. */
  readonly public: boolean;
  readonly pull: Grantees;
  readonly push: Grantees;
  /** May push new tags, but not move those that are there. */
  readonly create: Grantees;
  readonly delete: Grantees;
}

/** What an access file says. */
export interface AccessRules {
  readonly rules: readonly Rule[];
  readonly catalog: Grantees;
}

const NOBODY: Grantees = new Set();
const CLOSED: AccessRules = { rules: [], catalog: NOBODY };
const RULE_FIELDS = new Set(['repositories', 'public', 'pull', 'push', 'create', 'delete']);
const FILE_FIELDS = new Set(['groups', 'rules', 'catalog']);
const PATTERN = /^(?:\*\*|[a-z0-9._*-]+)(?:\/(?:\*\*|[a-z0-9._*-]+))*$/;

/**
 * Reads an access file, JSON:
 *
 *     {
 *       "groups":  { "staff": ["ann", "bob"] },
 *       "rules": [
 *         { "repositories": "lab/**", "public": true, "push": ["@staff"], "delete": ["ann"] },
 *         { "repositories": ["ci/*", "nightly"], "pull": ["*"], "create": ["robot"] }
 *       ],
 *       "catalog": ["@staff"]
 *     }
 *
 * The first rule that matches a repository decides alone; a repository without one is closed to everybody. `*` in a
 * pattern is anything but `/`, `**` one folder or more. Who may push or create may also pull. `*` among users is
 * everyone who is logged in. Without `catalog` everyone who is logged in may list; each sees what he may pull.
 *
 * Errors: `invalid`, naming the file and the line or the field.
 */
export function parseAccessFile(text: string, path: string): AccessRules {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new WharfError(
      'invalid',
      `${path}, line ${lineOf(text)}: not JSON: ${WharfError.from(cause).message}`,
      { cause },
    );
  }
  try {
    const file = fields(document, 'the file', FILE_FIELDS);
    const groups = readGroups(file.get('groups'));
    const rules = file.get('rules') ?? [];
    if (!Array.isArray(rules)) throw needed('rules', 'a list of rules');
    return {
      rules: rules.flatMap((rule: unknown, at) => readRules(rule, `rules[${at}]`, groups)),
      catalog: file.has('catalog') ? grantees(file.get('catalog'), 'catalog', groups) : new Set(['*']),
    };
  } catch (thrown) {
    throw new WharfError('invalid', `${path}: ${WharfError.from(thrown).message}`, { cause: thrown });
  }
}

/** The first line with which the text can't become JSON any more. V8 itself tells the place of some errors only. */
function lineOf(text: string): number {
  const lines = text.split('\n');
  let [good, bad] = [0, lines.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (mayGoOn(`${lines.slice(0, middle).join('\n')}\n`)) good = middle;
    else bad = middle;
  }
  return bad;
}

function mayGoOn(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : '';
    const offset = /at position (\d+)/.exec(message)?.[1];
    return message === 'Unexpected end of JSON input' || Number(offset) === text.length;
  }
}

const needed = (where: string, what: string) => new WharfError('invalid', `"${where}" takes ${what}`);

function fields(value: unknown, where: string, known: ReadonlySet<string> | undefined): Map<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw needed(where, 'an object');
  for (const key of Object.keys(value)) {
    if (known && !known.has(key))
      throw new WharfError('invalid', `"${where}" has no field "${key}"; it knows ${[...known].join(', ')}`);
  }
  return new Map(Object.entries(value));
}

function readGroups(value: unknown): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>();
  if (value === undefined) return groups;
  for (const [name, members] of fields(value, 'groups', undefined)) {
    const where = `groups.${name}`;
    const list = strings(members, where);
    const nested = list.find((member) => member.startsWith('@') || member === '*');
    if (nested !== undefined) throw needed(where, `names of users, not "${nested}"`);
    groups.set(name, list);
  }
  return groups;
}

function readRules(value: unknown, where: string, groups: ReadonlyMap<string, readonly string[]>): Rule[] {
  const rule = fields(value, where, RULE_FIELDS);
  const patterns = rule.get('repositories');
  const list = typeof patterns === 'string' ? [patterns] : strings(patterns, `${where}.repositories`);
  const open = rule.get('public') ?? false;
  if (typeof open !== 'boolean') throw needed(`${where}.public`, 'true or false');
  const granted = (field: string) =>
    rule.has(field) ? grantees(rule.get(field), `${where}.${field}`, groups) : NOBODY;
  const rights = {
    public: open,
    pull: granted('pull'),
    push: granted('push'),
    create: granted('create'),
    delete: granted('delete'),
  };
  return list.map((pattern) => ({
    pattern,
    matches: patternRegExp(pattern, `${where}.repositories`),
    ...rights,
  }));
}

function strings(value: unknown, where: string): string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string' && item !== ''))
    throw needed(where, 'a list of strings');
  return value;
}

function grantees(value: unknown, where: string, groups: ReadonlyMap<string, readonly string[]>): Grantees {
  return new Set(
    strings(value, where).flatMap((name) => {
      if (!name.startsWith('@')) return [name];
      const members = groups.get(name.slice(1));
      if (!members)
        throw new WharfError('invalid', `"${where}" names the group "${name.slice(1)}", which is not there`);
      return members;
    }),
  );
}

function patternRegExp(pattern: string, where: string): RegExp {
  if (!PATTERN.test(pattern) || /[^/]\*\*|\*\*[^/]/.test(pattern))
    throw needed(where, `patterns like lab/tools, lab/*, lab/**; "${pattern}" is none`);
  const source = pattern
    .split('/')
    .map((part) => (part === '**' ? '.+' : part.replaceAll('.', '\\.').replaceAll('*', '[^/]*')))
    .join('/');
  return new RegExp(`^${source}$`);
}

/** Everything is open to everybody. For a registry without users. */
export const OPEN_POLICY: AccessPolicy = {
  allows: () => true,
  allowsOverwrite: () => true,
  allowsCatalog: () => true,
};

/** Everything is open to whoever is logged in, nothing to others. For users without an access file. */
export const USERS_POLICY: AccessPolicy = {
  allows: (user) => user !== undefined,
  allowsOverwrite: (user) => user !== undefined,
  allowsCatalog: (user) => user !== undefined,
};

/** Rights by an access file, which is read again when it changes. */
export class FilePolicy implements AccessPolicy {
  private readonly file: ReloadedFile<AccessRules>;

  /** Errors: `invalid` when the file can't be read or parsed. */
  constructor(path: string, log: Logger, clock: Pick<Clock, 'monotonic'> = systemClock) {
    this.file = new ReloadedFile(path, { parse: parseAccessFile, nothing: CLOSED }, log, clock);
  }

  allows(user: User, action: Action, repository: string): boolean {
    const rule = this.ruleFor(repository);
    if (!rule) return false;
    if (action === 'pull')
      return rule.public || [rule.pull, rule.push, rule.create].some((granted) => includes(granted, user));
    if (action === 'push') return includes(rule.push, user) || includes(rule.create, user);
    return includes(rule.delete, user);
  }

  allowsOverwrite(user: User, repository: string): boolean {
    const rule = this.ruleFor(repository);
    return rule !== undefined && includes(rule.push, user);
  }

  allowsCatalog(user: User): boolean {
    return includes(this.file.current().catalog, user);
  }

  private ruleFor(repository: string): Rule | undefined {
    return this.file.current().rules.find(({ matches }) => matches.test(repository));
  }
}

function includes(granted: Grantees, user: User): boolean {
  return user !== undefined && (granted.has(user) || granted.has('*'));
}
