import { readFileSync } from 'node:fs';
import { errnoCode, WharfError } from '../base/index.ts';
import type { OptionValues } from './flags.ts';
import { OPTIONS, type OptionSpec, REFUSED_KEYS } from './options.ts';

/** What `daemon.json` says: option values by flag name, and the runtimes, whose flag says less. */
export interface ConfigFile {
  values: OptionValues;
  runtimes: Record<string, { path: string; runtimeArgs: string[] }>;
}

/**
 * Reads `daemon.json`; a missing file is empty unless it was `asked` for.
 * Errors: `invalid`, naming the file and every directive that is wrong.
 */
export function readConfigFile(path: string, asked: boolean): ConfigFile {
  const file: ConfigFile = { values: new Map(), runtimes: {} };
  const text = readText(path, asked);
  if (text === undefined || text.trim() === '') return file;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (thrown) {
    throw new WharfError('invalid', `${path}: not JSON: ${WharfError.from(thrown).message}`, {
      cause: thrown,
    });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new WharfError('invalid', `${path}: an object of directives is needed`);
  }
  const problems: string[] = [];
  for (const [key, value] of Object.entries(document)) {
    const problem = takeDirective(file, key, value);
    if (problem) problems.push(problem);
  }
  if (problems.length > 0) throw new WharfError('invalid', `${path}: ${problems.join('; ')}`);
  return file;
}

function readText(path: string, asked: boolean): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if (errnoCode(thrown) === 'ENOENT' && !asked) return undefined;
    throw new WharfError('invalid', `${path} can't be read: ${WharfError.from(thrown).message}`, {
      cause: thrown,
    });
  }
}

/** Takes one directive; returns what is wrong with it, if anything. */
function takeDirective(file: ConfigFile, key: string, value: unknown): string | undefined {
  const option = OPTIONS.find((candidate) => candidate.key === key);
  if (option) return takeOption(file.values, option, key, value);
  if (Object.hasOwn(REFUSED_KEYS, key)) return `directive "${key}": ${REFUSED_KEYS[key]}`;
  if (key === 'proxies') return takeProxies(file.values, value);
  if (key !== 'runtimes') return `the directive "${key}" is not a configuration option`;
  return takeRuntimes(file, value);
}

function takeOption(
  values: OptionValues,
  option: OptionSpec,
  key: string,
  value: unknown,
): string | undefined {
  const wrong = (needed: string) => `directive "${key}" takes ${needed}`;
  switch (option.kind) {
    case 'boolean':
      if (typeof value !== 'boolean') return wrong('true or false');
      values.set(option.flag, value);
      return undefined;
    case 'integer':
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
        return wrong('a whole number');
      values.set(option.flag, value);
      return undefined;
    case 'string':
      if (typeof value !== 'string' && !(key === 'default-shm-size' && typeof value === 'number'))
        return wrong('a string');
      values.set(option.flag, String(value));
      return undefined;
    case 'map':
      if (!isStringMap(value)) return wrong('an object of strings');
      values.set(option.flag, value);
      return undefined;
    case 'list': {
      const list = listValue(key, value);
      if (!list) return wrong('a list');
      values.set(option.flag, list);
      return undefined;
    }
  }
}

/** Lists as flags write them: dockerd's objects for pools, ulimits and network options become `base=…,size=…`, `name=soft:hard`, `driver=option=value`. */
function listValue(key: string, value: unknown): string[] | undefined {
  if (key === 'default-address-pools' && Array.isArray(value)) {
    const isPool = (pool: unknown): pool is { base: string; size: number } => {
      if (typeof pool !== 'object' || pool === null || Object.keys(pool).length !== 2) return false;
      return 'base' in pool && typeof pool.base === 'string' && 'size' in pool && Number.isInteger(pool.size);
    };
    return value.every(isPool) ? value.map((pool) => `base=${pool.base},size=${pool.size}`) : undefined;
  }
  if (
    key === 'default-network-opts' &&
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value)
  ) {
    if (!Object.values(value).every(isStringMap)) return undefined;
    return Object.entries(value as Record<string, Record<string, string>>).flatMap(([driver, options]) =>
      Object.entries(options).map(([option, text]) => `${driver}=${option}=${text}`),
    );
  }
  if (key === 'default-ulimits' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).map(([name, limit]: [string, { Soft?: unknown; Hard?: unknown }]) => {
      return `${name}=${limit?.Soft}:${limit?.Hard}`;
    });
  }
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  return undefined;
}

function takeRuntimes(file: ConfigFile, value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'directive "runtimes" takes an object';
  for (const [name, entry] of Object.entries(
    value as Record<string, { path?: unknown; runtimeArgs?: unknown }>,
  )) {
    const args = entry?.runtimeArgs ?? [];
    if (
      typeof entry?.path !== 'string' ||
      !Array.isArray(args) ||
      !args.every((arg) => typeof arg === 'string')
    ) {
      return `runtime "${name}" takes {"path": …, "runtimeArgs": […]}`;
    }
    file.runtimes[name] = { path: entry.path, runtimeArgs: args };
  }
  return undefined;
}

/** dockerd has the proxies' flags in an object of their own. */
function takeProxies(values: OptionValues, value: unknown): string | undefined {
  if (!isStringMap(value)) return 'directive "proxies" takes an object of strings';
  for (const [name, text] of Object.entries(value)) {
    if (!/^(http|https|no)-proxy$/.test(name))
      return `directive "proxies" has http-proxy, https-proxy and no-proxy, not "${name}"`;
    values.set(name, text);
  }
  return undefined;
}

function isStringMap(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((item) => typeof item === 'string');
}
