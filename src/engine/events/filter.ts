import type { EventMessage, Filters } from '../../api/index.ts';

type Matcher = (event: EventMessage, value: string) => boolean;

const idOrName = (type: string): Matcher => {
  return (event, value) => {
    if (event.Type !== type) return false;
    const bare = value.replace(/^\//, '');
    return event.Actor?.ID?.startsWith(bare) === true || event.Actor?.Attributes?.['name'] === bare;
  };
};

/** `health_status: healthy` and `exec_start: ls` are also meant by their word before the colon. */
const matchAction: Matcher = (event, value) =>
  event.Action === value || event.Action?.startsWith(`${value}:`) === true;

const matchImage: Matcher = (event, value) => {
  const attributes = event.Actor?.Attributes ?? {};
  const ids = event.Type === 'image' ? [event.Actor?.ID, attributes['name']] : [attributes['image']];
  return ids.some(
    (id) => id !== undefined && (id === value || withoutTag(id) === value || id.startsWith(`${value}:`)),
  );
};

const matchLabel: Matcher = (event, value) => {
  const [key = '', ...rest] = value.split('=');
  const held = event.Actor?.Attributes?.[key];
  return held !== undefined && (rest.length === 0 || held === rest.join('='));
};

const matchers: Readonly<Record<string, Matcher>> = {
  container: idOrName('container'),
  image: matchImage,
  event: matchAction,
  label: matchLabel,
  type: (event, value) => event.Type === value,
  volume: idOrName('volume'),
  network: idOrName('network'),
  daemon: idOrName('daemon'),
  scope: (event, value) => event.scope === value,
};

/** Whether an event passes the request's filters: each key must match by one of its values, for `label` by all. Unknown keys match nothing. */
export function filterEvents(event: EventMessage, filters: Filters): boolean {
  for (const [key, values] of filters) {
    if (values.length === 0) continue;
    const matcher = matchers[key];
    if (!matcher) return false;
    const matches = (value: string) => matcher(event, value);
    if (key === 'label' ? !values.every(matches) : !values.some(matches)) return false;
  }
  return true;
}

function withoutTag(reference: string): string {
  const at = reference.lastIndexOf(':');
  return at > reference.lastIndexOf('/') ? reference.slice(0, at) : reference;
}
