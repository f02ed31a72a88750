import { type FlagSpec, flag } from './flags.ts';

const TEMPLATE_TEXT = "'TEMPLATE':         Print output using the given Go template.";

/** `--format` of a listing. */
export function listFormat(names = 'format'): FlagSpec {
  return flag(
    names,
    'string',
    `Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n${TEMPLATE_TEXT}`,
  );
}

/** `--format` of a document. */
export function documentFormat(names = 'f,format'): FlagSpec {
  return flag(
    names,
    'string',
    `Format output using a custom template:\n'json':             Print in JSON format\n${TEMPLATE_TEXT}`,
  );
}

/** Refuses a filter without a value, and lowers its name. */
function checkFilter(value: string): string {
  if (value === '') return value;
  const at = value.indexOf('=');
  if (at < 0) throw new Error('bad format of filter (expected name=value)');
  return `${value.slice(0, at).trim().toLowerCase()}=${value.slice(at + 1).trim()}`;
}

/** `--filter`, which may be given often. */
export function filterFlag(
  text = 'Filter output based on conditions provided',
  names = 'f,filter',
): FlagSpec {
  return flag(names, 'list', text, { typeName: 'filter', check: checkFilter });
}

/** Values of `--filter` by name. */
export function filtersOf(values: readonly string[]): Record<string, string[]> {
  const out: Record<string, string[]> = {};
  for (const value of values) {
    const at = value.indexOf('=');
    if (at < 0) continue;
    const name = value.slice(0, at);
    out[name] = [...(out[name] ?? []), value.slice(at + 1)];
  }
  return out;
}

/** `--detach-keys` */
export const detachKeysFlag: FlagSpec = flag(
  'detach-keys',
  'string',
  'Override the key sequence for detaching a container',
);

/** `--label`, of which a name without `=` is a label without a value. */
export function labelFlag(text: string, names = 'label'): FlagSpec {
  return flag(names, 'list', text, { check: checkLabel });
}

function checkLabel(value: string): string {
  const name = (value.split('=', 1)[0] ?? '').trimStart();
  if (name === '') throw new Error(`invalid label '${value}': empty name`);
  if (/\s/.test(name)) throw new Error(`label '${name}' contains whitespaces`);
  return value;
}

/** `--link` */
export const linkFlag: FlagSpec = flag('link', 'list', 'Add link to another container', { check: checkLink });

function checkLink(value: string): string {
  if (value === '') throw new Error('empty string specified for links');
  if (value.split(':').length > 2) throw new Error(`bad format for links: ${value}`);
  return value;
}
