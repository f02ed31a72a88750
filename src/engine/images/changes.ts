import { WharfError } from '../../base/index.ts';
import type { ExecutionConfig } from '../../oci/index.ts';

type Instruction = (config: ExecutionConfig, rest: string) => void;

const instructions: Record<string, Instruction> = {
  CMD: (config, rest) => {
    config.Cmd = commandForm(rest);
  },
  ENTRYPOINT: (config, rest) => {
    config.Entrypoint = commandForm(rest);
  },
  ENV: (config, rest) => {
    const env = config.Env ?? [];
    for (const [key, value] of pairs('ENV', rest)) {
      const at = env.findIndex((entry) => entry.startsWith(`${key}=`));
      if (at >= 0) env[at] = `${key}=${value}`;
      else env.push(`${key}=${value}`);
    }
    config.Env = env;
  },
  LABEL: (config, rest) => {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairs('LABEL', rest)) };
  },
  EXPOSE: (config, rest) => {
    const ports = { ...config.ExposedPorts };
    for (const word of words(rest)) for (const port of expandPort(word)) ports[port] = {};
    config.ExposedPorts = ports;
  },
  VOLUME: (config, rest) => {
    const volumes = { ...config.Volumes };
    for (const path of jsonList(rest) ?? words(rest)) volumes[path] = {};
    config.Volumes = volumes;
  },
  USER: (config, rest) => {
    config.User = single('USER', rest);
  },
  WORKDIR: (config, rest) => {
    const path = single('WORKDIR', rest);
    config.WorkingDir = path.startsWith('/') ? path : `${config.WorkingDir || ''}/${path}`;
  },
  STOPSIGNAL: (config, rest) => {
    config.StopSignal = single('STOPSIGNAL', rest);
  },
  ONBUILD: (config, rest) => {
    config.OnBuild = [...(config.OnBuild ?? []), rest];
  },
  HEALTHCHECK: (config, rest) => {
    config.Healthcheck = healthcheck(rest);
  },
};

/**
 * Applies Dockerfile instructions to an image's config, as `import --change` and `commit --change` take them.
 * Errors: `invalid` with the instruction named.
 */
export function applyChanges(config: ExecutionConfig, changes: readonly string[]): void {
  for (const change of changes.flatMap((text) => text.split('\n'))) {
    const line = change.trim();
    if (line === '') continue;
    const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
    const apply = Object.hasOwn(instructions, name.toUpperCase())
      ? instructions[name.toUpperCase()]
      : undefined;
    if (!apply) throw new WharfError('invalid', `${name.toUpperCase()} is not a valid change command`);
    if (rest === '') throw new WharfError('invalid', `${name.toUpperCase()} requires at least one argument`);
    apply(config, rest);
  }
}

/** A JSON array of strings, or undefined when the text is something else. */
function jsonList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  } catch {
    // Not JSON: the shell form, as the Dockerfile reference says.
  }
  return undefined;
}

function commandForm(rest: string): string[] {
  return jsonList(rest) ?? ['/bin/sh', '-c', rest];
}

/** Splits into words; quotes group and are removed, a backslash keeps the next character. */
function words(text: string): string[] {
  const found: string[] = [];
  let word = '';
  let open = false;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (char === '\\' && quote !== "'" && at + 1 < text.length) {
      word += text[++at];
      open = true;
    } else if (quote) {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      open = true;
    } else if (/\s/.test(char)) {
      if (open) found.push(word);
      word = '';
      open = false;
    } else {
      word += char;
      open = true;
    }
  }
  if (open) found.push(word);
  return found;
}

/** `a=b c="d e"`, or the old form `key value with blanks`. */
function pairs(instruction: string, rest: string): [string, string][] {
  const first = /^\S+/.exec(rest)?.[0] ?? '';
  if (!first.includes('=')) {
    const [, key, value] = /^(\S+)\s+(.*)$/s.exec(rest) ?? [];
    if (!key) throw new WharfError('invalid', `${instruction} must have two arguments`);
    return [[key, value ?? '']];
  }
  return words(rest).map((word) => {
    const at = word.indexOf('=');
    if (at < 1) {
      const problem =
        at === 0
          ? `${instruction} names can not be blank`
          : `Syntax error - can't find = in "${word}". Must be of the form: name=value`;
      throw new WharfError('invalid', problem);
    }
    return [word.slice(0, at), word.slice(at + 1)];
  });
}

function single(instruction: string, rest: string): string {
  const found = words(rest);
  if (found.length !== 1) throw new WharfError('invalid', `${instruction} requires exactly one argument`);
  return found[0] as string;
}

/** `80`, `80/udp`, `8000-8002/tcp` → `80/tcp` … */
function expandPort(word: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
  const start = Number(match?.[1]);
  const end = Number(match?.[2] ?? match?.[1]);
  if (!match || start > 65535 || end > 65535 || end < start) {
    throw new WharfError('invalid', `invalid containerPort: ${word}`);
  }
  const protocol = (match[3] ?? 'tcp').toLowerCase();
  return Array.from({ length: end - start + 1 }, (_, offset) => `${start + offset}/${protocol}`);
}

const healthFlags: Record<string, 'Interval' | 'Timeout' | 'StartPeriod' | 'StartInterval' | 'Retries'> = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
  retries: 'Retries',
};

function healthcheck(rest: string): NonNullable<ExecutionConfig['Healthcheck']> {
  const check: NonNullable<ExecutionConfig['Healthcheck']> = {};
  let text = rest;
  for (let flag = /^--([a-z-]+)=(\S+)\s*/.exec(text); flag; flag = /^--([a-z-]+)=(\S+)\s*/.exec(text)) {
    const field = healthFlags[flag[1] as string];
    if (!field) throw new WharfError('invalid', `unknown flag: --${flag[1]}`);
    check[field] = field === 'Retries' ? Number(flag[2]) : durationNanos(flag[2] as string);
    text = text.slice(flag[0].length);
  }
  const [, kind = '', command = ''] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  if (kind.toUpperCase() === 'NONE') return { Test: ['NONE'] };
  if (kind.toUpperCase() !== 'CMD') {
    throw new WharfError('invalid', `unknown type "${kind.toUpperCase()}" in HEALTHCHECK (try CMD)`);
  }
  const list = jsonList(command);
  check.Test = list ? ['CMD', ...list] : ['CMD-SHELL', command];
  return check;
}

const unitNanos: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Go's duration syntax (`1m30s`) in nanoseconds. Errors: `invalid`. */
function durationNanos(text: string): number {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) {
    throw new WharfError('invalid', `time: invalid duration "${text}"`);
  }
  let total = 0;
  for (const [, amount, , unit] of text.matchAll(/(\d+(\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(amount) * (unitNanos[unit as string] as number);
  }
  return Math.round(total);
}
