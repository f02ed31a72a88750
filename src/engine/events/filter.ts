import type { EventMessage, Filters } from '../../api/index.ts';

/** Whether an event fits one value of a filter. */
type Matcher = (event: EventMessage, value: string) => boolean;

/** Kinds of objects that a filter may name by the beginning of id or name. As in Docker, the event's type is not asked. */
const OBJECTS = ['container', 'volume', 'network', 'daemon', 'plugin', 'service', 'node', 'secret', 'config'];

const beginsWith: Matcher = ({ Actor }, value) =>
  Actor?.ID?.startsWith(value) === true || Actor?.Attributes?.['name']?.startsWith(value) === true;

/** Actions with something behind a colon, such as `exec_start: ls`; where one of these is asked for, Docker compares beginnings. */
const WITH_DETAIL = ['health_status', 'exec_create', 'exec_start'];

const matchImage: Matcher = (event, value) => {
  const attributes = event.Actor?.Attributes ?? {};
  const names = [event.Actor?.ID, event.Type === 'image' ? attributes['name'] : attributes['image']];
  return names.some((name) => name !== undefined && (name === value || withoutTag(name) === value));
};

const matchLabel: Matcher = (event, value) => {
  const [key = '', ...rest] = value.split('=');
  const attributes = event.Actor?.Attributes ?? {};
  return Object.hasOwn(attributes, key) && (rest.length === 0 || attributes[key] === rest.join('='));
};

const matchers: Readonly<Record<string, Matcher>> = {
  ...Object.fromEntries(OBJECTS.map((kind) => [kind, beginsWith])),
  image: matchImage,
  label: matchLabel,
  type: (event, value) => event.Type === value,
  scope: (event, value) => event.scope === value,
};

/** Whether an event passes the request's filters: each key must match by one of its values, for `label` by all. Unknown keys are passed over, as in Docker. */
export function filterEvents(event: EventMessage, filters: Filters): boolean {
  for (const [key, values] of filters) {
    const matcher = key === 'event' ? actionMatcher(values) : Object.hasOwn(matchers, key) && matchers[key];
    if (values.length === 0 || !matcher) continue;
    const matches = (value: string) => matcher(event, value);
    if (key === 'label' ? !values.every(matches) : !values.some(matches)) return false;
  }
  return true;
}

function actionMatcher(wanted: readonly string[]): Matcher {
  if (wanted.some((action) => WITH_DETAIL.includes(action))) {
    return (event, value) => event.Action?.startsWith(value) === true;
  }
  return (event, value) => event.Action === value;
}

function withoutTag(reference: string): string {
  const at = reference.lastIndexOf(':');
  return at > reference.lastIndexOf('/') ? reference.slice(0, at) : reference;
}
