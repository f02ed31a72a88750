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

function setField(
  mount: Mount,
  options: Options,
  key: string,
  value: string | undefined,
  part: string,
): void {
  const bool = (): boolean => {
    if (value === undefined) return true;
    if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
    if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
    throw new Error(`invalid value for ${key}: ${value}`);
  };
  if (key === 'readonly' || key === 'ro') {
    if (bool()) mount['ReadOnly'] = true;
    return;
  }
  if (key === 'volume-nocopy') {
    options.VolumeOptions['NoCopy'] = bool();
    return;
  }
  if (key === 'bind-nonrecursive') {
    options.BindOptions['NonRecursive'] = bool();
    return;
  }
  if (value === undefined) throw new Error(`invalid field '${part}' must be a key=value pair`);
  const pair = (holder: Record<string, unknown>, name: string): void => {
    const at = value.indexOf('=');
    holder[name] ??= {};
    const map = holder[name] as Record<string, string>;
    map[at < 0 ? value : value.slice(0, at)] = at < 0 ? '' : value.slice(at + 1);
  };
  switch (key) {
    case 'type':
      mount.Type = value.toLowerCase();
      return;
    case 'source':
    case 'src':
      mount['Source'] = /^\.{1,2}(?:\/|$)/.test(value) ? resolve(value) : value;
      return;
    case 'target':
    case 'dst':
    case 'destination':
      mount['Target'] = value;
      return;
    case 'consistency':
      mount['Consistency'] = value.toLowerCase();
      return;
    case 'bind-propagation':
      options.BindOptions['Propagation'] = value.toLowerCase();
      return;
    case 'bind-recursive':
      recursive(options, value);
      return;
    case 'volume-subpath':
      options.VolumeOptions['Subpath'] = value;
      return;
    case 'image-subpath':
      options.ImageOptions['Subpath'] = value;
      return;
    case 'volume-driver':
      options.VolumeOptions['DriverConfig'] = {
        ...(options.VolumeOptions['DriverConfig'] as object),
        Name: value,
      };
      return;
    case 'volume-opt':
      options.VolumeOptions['DriverConfig'] ??= {};
      pair(options.VolumeOptions['DriverConfig'] as Record<string, unknown>, 'Options');
      return;
    case 'volume-label':
      pair(options.VolumeOptions, 'Labels');
      return;
    case 'tmpfs-size':
      try {
        options.TmpfsOptions['SizeBytes'] = parseBytes(value);
      } catch {
        throw new Error(`invalid value for ${key}: ${value}`);
      }
      return;
    case 'tmpfs-mode':
      if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for ${key}: ${value}`);
      options.TmpfsOptions['Mode'] = Number.parseInt(value, 8);
      return;
    default:
      throw new Error(`unexpected key '${key}' in '${part}'`);
  }
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
