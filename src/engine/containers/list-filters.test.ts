import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../../oci/types.ts';
import { commandText } from './list.ts';
import type { ListFilterDeps } from './list-filters.ts';
import { listPredicate } from './list-filters.ts';
import type { ContainerRecord } from './record.ts';
import { humanDuration, statusText, timeNanos } from './status-text.ts';
import { testImage, testRecord } from './test-fixture.ts';

/** Images by name: `base`, `child` on top of it, `other` with the same number of layers. */
const IMAGES = Object.fromEntries(
  [
    ['base', ['1']],
    ['child', ['1', '2']],
    ['other', ['3', '4']],
    ['empty', []],
  ].map(([name, layers]) => {
    const image = testImage();
    image.imageId = `sha256:${name}`;
    image.config = {
      ...image.config,
      rootfs: { type: 'layers', diff_ids: (layers as string[]).map((one) => `sha256:${one}` as Digest) },
    };
    return [name as string, image];
  }),
);

const DEPS: ListFilterDeps = {
  store: { resolve: () => testRecord({ created: '2026-01-01T00:00:05Z' }) },
  images: {
    resolve(ref) {
      if (ref === 'BAD') throw new Error('invalid reference');
      return IMAGES[ref] ?? Object.values(IMAGES).find((one) => one.imageId === ref);
    },
  },
  networks: {
    sandbox: () => undefined,
  },
};

function fits(filters: Record<string, string[]>, change: Partial<ContainerRecord>): boolean {
  return listPredicate(DEPS, new Map(Object.entries(filters)))(testRecord(change));
}

const state = (change: Partial<ContainerRecord['state']>) => ({
  state: { ...testRecord().state, ...change },
});

test('names: with and without the slash, as a pattern, safe from patterns that burn', () => {
  const named = (pattern: string) => fits({ name: [pattern] }, { name: 'my-web' });
  assert.deepEqual(
    ['web', '^my', '^/my', 'my-web$', '^my-web$', '^web', 'x|web', '/web', '(', '(a+)+$'].map(named),
    [true, true, true, true, true, false, true, false, false, false],
  );
  assert.equal(fits({ name: [`${'a*'.repeat(50)}b`] }, { name: 'a'.repeat(500) }), false);
});

test('several values of a key are alternatives, several keys conditions, labels all conditions', () => {
  const record = { name: 'web', config: { Labels: { a: '1', b: '2' } } };
  assert.equal(fits({ name: ['x', 'web'] }, record), true);
  assert.equal(fits({ name: ['web'], status: ['exited'] }, record), false);
  assert.equal(fits({ label: ['a', 'b=2'] }, record), true);
  assert.equal(fits({ label: ['a', 'c'] }, record), false);
  assert.equal(fits({ 'label!': ['c'] }, record), true);
  assert.equal(fits({ 'label!': ['c', 'a=1'] }, record), false);
});

test('exit codes count for what has run and ended', () => {
  const exited = state({ status: 'exited', exitCode: 3, hasStarted: true });
  assert.equal(fits({ exited: ['3'] }, exited), true);
  assert.equal(fits({ exited: ['1', '+3'] }, exited), true);
  assert.equal(fits({ exited: ['0'] }, state({ status: 'created' })), false);
  assert.equal(
    fits({ exited: ['3'] }, state({ status: 'restarting', exitCode: 3, hasStarted: true })),
    false,
  );
});

test('ancestors: the image itself, its base, never a sibling, a child or one without layers', () => {
  const ofChild = { imageId: 'sha256:child' };
  const rows: [string, boolean][] = [
    ['child', true],
    ['base', true],
    ['other', false],
    ['empty', false],
    ['nosuch', false],
    ['BAD', false],
  ];
  for (const [ancestor, expected] of rows)
    assert.equal(fits({ ancestor: [ancestor] }, ofChild), expected, ancestor);
  assert.equal(fits({ ancestor: ['child'] }, { imageId: 'sha256:base' }), false);
  assert.equal(fits({ ancestor: ['base'] }, { imageId: 'sha256:gone' }), false);
  assert.equal(fits({ ancestor: ['nosuch', 'base'] }, ofChild), true);
});

test('before and since compare times to the nanosecond, and leave their own container out', () => {
  const at = (created: string) => [fits({ before: ['x'] }, { created }), fits({ since: ['x'] }, { created })];
  assert.deepEqual(at('2026-01-01T00:00:04.999999999Z'), [true, false]);
  assert.deepEqual(at('2026-01-01T00:00:05Z'), [false, false]);
  assert.deepEqual(at('2026-01-01T00:00:05.000000001Z'), [false, true]);
});

test('volumes by name, destination and host path; a volume has no host path', () => {
  const mounts = [
    { Type: 'volume', Name: 'data', Source: '/v/data', Destination: '/d' },
    { Type: 'bind', Source: '/host', Destination: '/b' },
  ];
  for (const [volume, expected] of [
    ['data', true],
    ['/d', true],
    ['/host', true],
    ['/b', true],
    ['/v/data', false],
    ['dat', false],
  ] as const) {
    assert.equal(fits({ volume: [volume] }, { mounts }), expected, volume);
  }
});

test('networks by name, and by the beginning of the id of one it was on', () => {
  const record = {
    networkingConfig: { EndpointsConfig: { mine: { NetworkID: 'abcdef0123456789' }, other: {} } },
  };
  for (const [network, expected] of [
    ['mine', true],
    ['abcdef012345', true],
    ['abcdef', true],
    ['b', false],
    ['other', true],
    ['min', false],
  ] as const) {
    assert.equal(fits({ network: [network] }, record), expected, network);
  }
});

test('ports: ranges and protocols of what is published and exposed', () => {
  const record = {
    config: { ExposedPorts: { '80/tcp': {}, '53/udp': {} } },
    hostConfig: { PortBindings: { '90/tcp': [{ HostPort: '9000' }] } },
  };
  const rows: ['expose' | 'publish', string, boolean][] = [
    ['expose', '80', true],
    ['expose', '70-90/tcp', true],
    ['expose', '53', false],
    ['expose', '53/udp', true],
    ['publish', '90', true],
    ['publish', '80', false],
    ['publish', '1-65535/udp', false],
  ];
  for (const [key, port, expected] of rows)
    assert.equal(fits({ [key]: [port] }, record), expected, `${key} ${port}`);
});

test('ports that can not be read, in the words of the reference', () => {
  for (const [text, why] of [
    ['x', 'strconv.ParseUint: parsing "x": invalid syntax'],
    ['', 'Empty string specified for ports.'],
    ['70000', 'strconv.ParseUint: parsing "70000": value out of range'],
    ['80-', 'strconv.ParseUint: parsing "": invalid syntax'],
    ['90-80', 'Invalid range specified for the Port: 90-80'],
  ] as const) {
    const message = `error while looking up for expose ${text}: ${why}`;
    assert.throws(() => fits({ expose: [text] }, {}), { kind: 'internal', message });
  }
});

test('health: no check is none', () => {
  assert.equal(fits({ health: ['none'] }, {}), true);
  assert.equal(fits({ health: ['none', 'starting'] }, state({ health: { Status: 'starting' } })), true);
  assert.equal(fits({ health: ['none'] }, state({ health: { Status: 'unhealthy' } })), false);
});

test('status texts by state and health', () => {
  const now = timeNanos('2026-01-01T01:00:00Z');
  const startedAt = '2026-01-01T00:59:50.5Z';
  const rows: [Partial<ContainerRecord['state']>, string][] = [
    [{ status: 'running', startedAt }, 'Up 9 seconds'],
    [{ status: 'running', startedAt, health: { Status: 'unhealthy' } }, 'Up 9 seconds (unhealthy)'],
    [{ status: 'running', startedAt, health: { Status: 'none' } }, 'Up 9 seconds'],
    [{ status: 'paused', startedAt, health: { Status: 'healthy' } }, 'Up 9 seconds (Paused)'],
    [{ status: 'exited' }, ''],
    [{ status: 'exited', exitCode: 137, finishedAt: startedAt }, 'Exited (137) 9 seconds ago'],
    [{ status: 'created' }, 'Created'],
  ];
  for (const [change, expected] of rows) assert.equal(statusText(state(change), now), expected);
});

test('a clock that went back gives no negative duration', () => {
  assert.equal(humanDuration(-5_000_000_000n), 'Less than a second');
});

test('a command in one line: arguments with blanks are quoted, the program and other white space are not', () => {
  assert.equal(commandText({ path: 'a b', args: ['c\td', '', 'e f'] }), "a b c\td  'e f'");
});
