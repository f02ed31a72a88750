import { posix } from 'node:path';
import { WharfError } from '../../base/index.ts';
import type { ExecutionConfig } from '../../oci/index.ts';
import { signalNumber } from '../../sys/index.ts';
import { parseHealthcheck } from './change-health.ts';
import { oneWord, rawWords, words } from './change-words.ts';
import { jsonList } from './json-list.ts';

interface Instruction {
  /** What it asks for when nothing follows it; without this it may stand alone. */
  needs?: 'exactly one argument' | 'at least one argument';
  /** It reads its own; others have none in a change. */
  hasFlags?: true;
  apply(config: ExecutionConfig, rest: string): void;
}

const instructions: Record<string, Instruction> = {
  CMD: { apply: (config, rest) => set(config, 'Cmd', commandForm(rest)) },
  ENTRYPOINT: { apply: (config, rest) => set(config, 'Entrypoint', rest === '' ? null : commandForm(rest)) },
  ENV: { needs: 'at least one argument', apply: applyEnv },
  LABEL: {
    needs: 'at least one argument',
    apply(config, rest) {
      const labels = Object.entries(config.Labels ?? {});
      config.Labels = Object.fromEntries([...labels, ...pairs('LABEL', rest, env(config))]);
    },
  },
  EXPOSE: {
    needs: 'at least one argument',
    apply(config, rest) {
      const ports = { ...config.ExposedPorts };
      for (const word of words(rest, env(config))) for (const port of expandPort(word)) ports[port] = {};
      config.ExposedPorts = ports;
    },
  },
  VOLUME: { needs: 'at least one argument', apply: applyVolume },
  USER: {
    needs: 'exactly one argument',
    apply: (config, rest) => set(config, 'User', oneWord(rest, env(config))),
  },
  WORKDIR: {
    needs: 'exactly one argument',
    apply(config, rest) {
      config.WorkingDir = posix.resolve('/', config.WorkingDir ?? '', oneWord(rest, env(config)));
    },
  },
  STOPSIGNAL: { needs: 'exactly one argument', apply: applyStopSignal },
  ONBUILD: { needs: 'at least one argument', apply: applyTrigger },
  HEALTHCHECK: {
    needs: 'at least one argument',
    hasFlags: true,
    apply: (config, rest) => set(config, 'Healthcheck', parseHealthcheck(rest)),
  },
};

/**
 * Applies Dockerfile instructions to an image's config, as `import --change` and `commit --change` take them.
 * Errors: `invalid` with the instruction named, in Docker's words.
 */
export function applyChanges(config: ExecutionConfig, changes: readonly string[]): void {
  const lines = changes.flatMap(instructionLines);
  if (changes.length > 0 && lines.length === 0) {
    throw new WharfError('invalid', 'file with no instructions');
  }
  let commanded = false;
  for (const line of lines) {
    const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
    const name = word.toUpperCase();
    const instruction = Object.hasOwn(instructions, name) ? instructions[name] : undefined;
    if (!instruction) throw new WharfError('invalid', `${word} is not a valid change command`);
    if (rest === '' && instruction.needs) {
      throw new WharfError('invalid', `${name} requires ${instruction.needs}`);
    }
    instruction.apply(config, instruction.hasFlags ? rest : withoutFlags(rest));
    // The command of before belongs to the entrypoint of before.
    if (name === 'ENTRYPOINT' && !commanded) config.Cmd = null;
    commanded ||= name === 'CMD';
  }
}

/** Two hyphens alone end the flags. Errors: `invalid` for any flag. */
function withoutFlags(rest: string): string {
  const [all = '', flag = ''] = /^--([^\s=]*)\S*\s*/.exec(rest) ?? [];
  if (flag !== '') throw new WharfError('invalid', `unknown flag: --${flag}`);
  return rest.slice(all.length);
}

/** Lines that a backslash joins are one; comments and empty lines are none. */
function instructionLines(text: string): string[] {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
  const joined = lines.join('\n').replace(/\\[ \t]*\n/g, '');
  return joined
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function set<K extends keyof ExecutionConfig>(
  config: ExecutionConfig,
  key: K,
  value: ExecutionConfig[K],
): void {
  config[key] = value;
}

function env(config: ExecutionConfig): readonly string[] {
  return config.Env ?? [];
}

/** An empty list takes the command away. */
function commandForm(rest: string): string[] | null {
  const list = jsonList(rest);
  if (list) return list.length > 0 ? list : null;
  return rest === '' ? ['/bin/sh', '-c'] : ['/bin/sh', '-c', rest];
}

function applyEnv(config: ExecutionConfig, rest: string): void {
  const values = [...env(config)];
  for (const [key, value] of pairs('ENV', rest, values)) {
    const at = values.findIndex((entry) => entry.startsWith(`${key}=`));
    if (at >= 0) values[at] = `${key}=${value}`;
    else values.push(`${key}=${value}`);
  }
  config.Env = values;
}

function applyVolume(config: ExecutionConfig, rest: string): void {
  const paths = jsonList(rest) ?? words(rest, env(config));
  if (paths.length === 0) throw new WharfError('invalid', 'VOLUME requires at least one argument');
  if (paths.some((path) => path.trim() === '')) {
    throw new WharfError('invalid', 'VOLUME specified can not be an empty string');
  }
  config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path.trim(), {}])) };
}

function applyStopSignal(config: ExecutionConfig, rest: string): void {
  const name = oneWord(rest, env(config));
  if (signalNumber(name) === undefined) throw new WharfError('invalid', `invalid signal: ${name}`);
  config.StopSignal = name;
}

function applyTrigger(config: ExecutionConfig, rest: string): void {
  const trigger = (/^\S+/.exec(rest)?.[0] ?? '').toUpperCase();
  if (trigger === 'ONBUILD') {
    throw new WharfError('invalid', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  }
  if (trigger === 'FROM' || trigger === 'MAINTAINER') {
    throw new WharfError('invalid', `${trigger} isn't allowed as an ONBUILD trigger`);
  }
  config.OnBuild = [...(config.OnBuild ?? []), rest];
}

/** `a=b c="d e"`, or the old form `key value with blanks`. */
function pairs(instruction: string, rest: string, values: readonly string[]): [string, string][] {
  const raw = rawWords(rest);
  if (!raw[0]?.includes('=')) {
    const [, key, value] = /^(\S+)\s+(.*)$/s.exec(rest) ?? [];
    if (!key) throw new WharfError('invalid', `${instruction} must have two arguments`);
    return [[oneWord(key, values), oneWord(value ?? '', values)]];
  }
  return raw.map((word) => {
    const at = word.indexOf('=');
    if (at < 1) {
      const problem =
        at === 0
          ? `${instruction} names can not be blank`
          : `Syntax error - can't find = in "${word}". Must be of the form: name=value`;
      throw new WharfError('invalid', problem);
    }
    return [oneWord(word.slice(0, at), values), oneWord(word.slice(at + 1), values)];
  });
}

/** `80`, `80/udp`, `8000-8002/tcp` → `80/tcp` …; where they would be published, as in `127.0.0.1:80:90`, is no part of an image. */
function expandPort(word: string): string[] {
  const match = /^(?:(?:.*:)?(?:\d{1,5}(?:-\d{1,5})?)?:)?(\d{1,5})(?:-(\d{1,5}))?(?:\/(\w+))?$/.exec(word);
  const start = Number(match?.[1]);
  const end = Number(match?.[2] ?? match?.[1]);
  if (!match || start > 65535 || end > 65535 || end < start) {
    throw new WharfError('invalid', `Invalid containerPort: ${word}`);
  }
  const protocol = (match[3] ?? 'tcp').toLowerCase();
  if (!['tcp', 'udp', 'sctp'].includes(protocol))
    throw new WharfError('invalid', `Invalid proto: ${match[3]}`);
  return Array.from({ length: end - start + 1 }, (_, offset) => `${start + offset}/${protocol}`);
}
