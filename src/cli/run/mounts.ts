import { resolve } from 'node:path';
import { parseBytes } from '../quantities.ts';

/** Splits one line of comma-separated values, with quotes as CSV has them. */
export function csvFields(line: string): string[] {
  const out: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^,]*))(,|$)/y;
  for (;;) {
    const match = field.exec(line);
    if (!match)
      throw new Error(`parse error on line 1, column ${field.lastIndex + 1}: bare " in non-quoted field`);
    out.push(match[1] !== undefined ? match[1].replaceAll('""', '"') : (match[2] ?? ''));
    if (match[3] === '') return out;
  }
}

type Mount = Record<string, unknown> & { Type: string };
type Options = {
  BindOptions: Record<string, unknown>;
  VolumeOptions: Record<string, unknown>;
  TmpfsOptions: Record<string, unknown>;
  ImageOptions: Record<string, unknown>;
};

/** Refuses a bad `--mount`; the text itself stays. */
export function checkMount(text: string): string {
  parseMount(text);
  return text;
}

/** Reads `--mount`: `type=bind,source=/a,target=/b,readonly`. Throws Error with Docker's text. */
export function parseMount(text: string): Mount {
  const mount: Mount = { Type: 'volume' };
  const options: Options = { BindOptions: {}, VolumeOptions: {}, TmpfsOptions: {}, ImageOptions: {} };
  for (const part of csvFields(text)) {
    const at = part.indexOf('=');
    const key = (at < 0 ? part : part.slice(0, at)).toLowerCase();
    setField(mount, options, key, at < 0 ? undefined : part.slice(at + 1), part);
  }
  if (mount.Type === '') throw new Error('type is required');
  if (mount['Target'] === undefined || mount['Target'] === '') throw new Error('target is required');
  checkRecursive(mount, options.BindOptions);
  const kinds = {
    BindOptions: 'bind',
    VolumeOptions: 'volume',
    TmpfsOptions: 'tmpfs',
    ImageOptions: 'image',
  } as const;
  for (const [name, type] of Object.entries(kinds)) {
    const set = options[name as keyof Options];
    if (Object.keys(set).length === 0) continue;
    if (mount.Type !== type)
      throw new Error(`cannot mix '${type}-*' options with mount type '${mount.Type}'`);
    mount[name] = set;
  }
  return mount;
}

/** A field of `--mount` while it is read. */
interface Field {
  mount: Mount;
  options: Options;
  key: string;
  value: string;
}

type SetField = (field: Field) => void;

const source: SetField = ({ mount, value }) => {
  mount['Source'] = /^\.{1,2}(?:\/|$)/.test(value) ? resolve(value) : value;
};
const target: SetField = ({ mount, value }) => {
  mount['Target'] = value;
};

/** Fields that stand alone or take true and false. */
const SWITCHES: Record<string, (field: Omit<Field, 'value'>, on: boolean) => void> = {
  readonly: readOnly,
  ro: readOnly,
  'volume-nocopy': ({ options }, on) => {
    options.VolumeOptions['NoCopy'] = on;
  },
  'bind-nonrecursive': ({ options }, on) => {
    options.BindOptions['NonRecursive'] = on;
  },
};

/** Fields that need a value. */
const FIELDS: Record<string, SetField> = {
  type: ({ mount, value }) => {
    mount.Type = value.toLowerCase();
  },
  source,
  src: source,
  target,
  dst: target,
  destination: target,
  consistency: ({ mount, value }) => {
    mount['Consistency'] = value.toLowerCase();
  },
  'bind-propagation': ({ options, value }) => {
    options.BindOptions['Propagation'] = value.toLowerCase();
  },
  'bind-recursive': ({ options, value }) => recursive(options, value),
  'volume-subpath': ({ options, value }) => {
    options.VolumeOptions['Subpath'] = value;
  },
  'image-subpath': ({ options, value }) => {
    options.ImageOptions['Subpath'] = value;
  },
  'volume-driver': ({ options, value }) => {
    options.VolumeOptions['DriverConfig'] = {
      ...(options.VolumeOptions['DriverConfig'] as object),
      Name: value,
    };
  },
  'volume-opt': ({ options, value }) => {
    options.VolumeOptions['DriverConfig'] ??= {};
    addPair(options.VolumeOptions['DriverConfig'] as Record<string, unknown>, 'Options', value);
  },
  'volume-label': ({ options, value }) => addPair(options.VolumeOptions, 'Labels', value),
  'tmpfs-size': ({ options, key, value }) => {
    try {
      const bytes = parseBytes(value);
      if (bytes < 0) throw new Error('negative');
      options.TmpfsOptions['SizeBytes'] = bytes;
    } catch {
      throw new Error(`invalid value for ${key}: ${value}`);
    }
  },
  'tmpfs-mode': ({ options, key, value }) => {
    if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for ${key}: ${value}`);
    options.TmpfsOptions['Mode'] = Number.parseInt(value, 8);
  },
};

function setField(
  mount: Mount,
  options: Options,
  key: string,
  value: string | undefined,
  part: string,
): void {
  const toggle = Object.hasOwn(SWITCHES, key) ? SWITCHES[key] : undefined;
  if (toggle) {
    toggle({ mount, options, key }, truth(key, value));
    return;
  }
  if (value === undefined) throw new Error(`invalid field '${part}' must be a key=value pair`);
  const set = Object.hasOwn(FIELDS, key) ? FIELDS[key] : undefined;
  if (!set) throw new Error(`unexpected key '${key}' in '${part}'`);
  set({ mount, options, key, value });
}

function readOnly({ mount }: Omit<Field, 'value'>, on: boolean): void {
  if (on) mount['ReadOnly'] = true;
}

function truth(key: string, value: string | undefined): boolean {
  if (value === undefined) return true;
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
  throw new Error(`invalid value for ${key}: ${value}`);
}

/** `key=value` into a map of the holder. */
function addPair(holder: Record<string, unknown>, name: string, text: string): void {
  const at = text.indexOf('=');
  holder[name] ??= {};
  const map = holder[name] as Record<string, string>;
  map[at < 0 ? text : text.slice(0, at)] = at < 0 ? '' : text.slice(at + 1);
}

/** What is said of mounts below asks for more; checked when all is read. */
function checkRecursive(mount: Mount, bind: Record<string, unknown>): void {
  const how = bind['ReadOnlyForceRecursive']
    ? 'readonly'
    : bind['ReadOnlyNonRecursive']
      ? 'writable'
      : undefined;
  const needs = (field: string) => {
    throw new Error(`option 'bind-recursive=${how}' requires '${field}' to be specified in conjunction`);
  };
  if (how && !mount['ReadOnly']) needs('readonly');
  if (how === 'readonly' && bind['Propagation'] !== 'rprivate') needs('bind-propagation=rprivate');
}

function recursive(options: Options, value: string): void {
  const { BindOptions } = options;
  if (value === 'enabled') return;
  if (value === 'disabled') BindOptions['NonRecursive'] = true;
  else if (value === 'writable') BindOptions['ReadOnlyNonRecursive'] = true;
  else if (value === 'readonly') BindOptions['ReadOnlyForceRecursive'] = true;
  else
    throw new Error(
      `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
    );
}
