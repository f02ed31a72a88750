/** What a field is, and what a function gives. */
export type TagValue = string | number | readonly string[] | Readonly<Record<string, string>>;

function text(value: TagValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function ofText(change: (value: string) => string) {
  return ([value, ...more]: readonly TagValue[]) =>
    typeof value === 'string' && more.length === 0 ? change(value) : undefined;
}

function elementOf(value: TagValue | undefined, key: TagValue | undefined): string | undefined {
  if (Array.isArray(value)) return typeof key === 'number' ? value[key] : undefined;
  if (typeof value !== 'object' || typeof key !== 'string') return undefined;
  const map = value as Readonly<Record<string, string>>;
  return Object.hasOwn(map, key) ? map[key] : '';
}

/** Spaces before and behind a text that is not empty. */
function padded([value, before, behind]: readonly TagValue[]): string | undefined {
  if (typeof value !== 'string' || typeof before !== 'number' || typeof behind !== 'number') return undefined;
  return value === '' ? '' : `${' '.repeat(Math.max(0, before))}${value}${' '.repeat(Math.max(0, behind))}`;
}

function sliced([value, from = 0, to]: readonly TagValue[]): string | undefined {
  const [whole, start] = [text(value), Number(from)];
  if (whole === undefined) return undefined;
  const end = to === undefined ? whole.length : Number(to);
  return start >= 0 && start <= end && end <= whole.length ? whole.slice(start, end) : undefined;
}

/** Functions that the reference engine has for tags, of those that make one text of fields. Undefined: not with these arguments. */
export const TAG_FUNCTIONS: Readonly<Record<string, (args: readonly TagValue[]) => TagValue | undefined>> = {
  upper: ofText((value) => value.toUpperCase()),
  lower: ofText((value) => value.toLowerCase()),
  title: ofText((value) =>
    value.replace(/(^|\s)(\S)/g, (_all, gap, first) => `${gap}${first.toUpperCase()}`),
  ),
  json: ([value]) => JSON.stringify(value),
  index: ([value, key]) => elementOf(value, key),
  slice: sliced,
  truncate: ([value, length]) => (typeof length === 'number' ? text(value)?.slice(0, length) : undefined),
  join: ([list, between]) => (Array.isArray(list) ? list.join(text(between)) : undefined),
  pad: padded,
};
