import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  CONFIG_FIELDS,
  ENDPOINT_FIELDS,
  HOST_CONFIG_FIELDS,
  MOUNT_FIELDS,
  NETWORKING_FIELDS,
} from './field-treatments.ts';

const TYPES = join(import.meta.dirname, '../../api/types');
const SOURCE = readdirSync(TYPES)
  .map((name) => readFileSync(join(TYPES, name), 'utf8'))
  .join('\n');

/** The fields of an interface among the wire types, those it inherits included. */
function fieldsOf(name: string): string[] {
  const match = new RegExp(`export interface ${name}(?: extends (\\w+))? \\{\\n([^}]*)\\n\\}`).exec(SOURCE);
  assert.ok(match, name);
  const own = [...(match[2] ?? '').matchAll(/^ {2}(\w+)\??:/gm)].map((field) => field[1] as string);
  return [...(match[1] ? fieldsOf(match[1]) : []), ...own].sort();
}

test('every field of a create request has a treatment, and no other', () => {
  for (const [name, treatments] of [
    ['ContainerConfig', CONFIG_FIELDS],
    ['HostConfig', HOST_CONFIG_FIELDS],
    ['NetworkingConfig', NETWORKING_FIELDS],
    ['EndpointSettings', ENDPOINT_FIELDS],
    ['Mount', MOUNT_FIELDS],
  ] as const) {
    assert.deepEqual(Object.keys(treatments).sort(), fieldsOf(name), name);
  }
});
