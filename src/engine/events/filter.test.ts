import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventMessage } from '../../api/index.ts';
import { filterEvents } from './index.ts';

const start: EventMessage = {
  Type: 'container',
  Action: 'health_status: healthy',
  Actor: { ID: 'abcdef', Attributes: { image: 'busybox:1.36', name: 'web', tier: 'front', k: 'a=b' } },
  scope: 'local',
};
// What the reference answers to these.
const cases: [Record<string, string[]>, boolean][] = [
  [{}, true],
  [{ container: [] }, true],
  [{ container: ['web'] }, true],
  [{ container: ['we'] }, true],
  [{ container: ['eb'] }, false],
  [{ container: ['/web'] }, false],
  [{ container: ['abc'] }, true],
  [{ container: ['other', 'web'] }, true],
  [{ image: ['busybox'] }, true],
  [{ image: ['busybox:1.36'] }, true],
  [{ image: ['busybox:2'] }, false],
  [{ image: ['busy'] }, false],
  [{ event: ['health_status'] }, true],
  [{ event: ['health_status: healthy'] }, true],
  [{ event: ['health_status: sick'] }, false],
  [{ event: ['health'] }, false],
  [{ event: ['health', 'exec_start'] }, true],
  [{ event: ['start', 'exec_create'] }, false],
  [{ label: ['tier'] }, true],
  [{ label: ['tier=front'] }, true],
  [{ label: ['tier=fron'] }, false],
  [{ label: ['k=a=b', 'tier'] }, true],
  [{ label: ['tier=front', 'other'] }, false],
  [{ label: ['constructor'] }, false],
  [{ type: ['network'] }, false],
  [{ type: ['cont'] }, false],
  [{ type: ['network', 'container'] }, true],
  [{ scope: ['local'] }, true],
  [{ scope: ['swarm'] }, false],
  [{ volume: ['xyz'] }, false],
  [{ network: ['bridge'], container: ['web'] }, false],
  [{ volume: ['web'] }, true],
  [{ node: ['nosuch'] }, false],
  [{ container: ['web'], event: ['die'] }, false],
  [{ nonsense: ['x'] }, true],
  [{ constructor: ['x'] }, true],
];

for (const [filters, expected] of cases) {
  test(`${JSON.stringify(filters)} ${expected ? 'passes' : 'is left out'}`, () => {
    assert.equal(filterEvents(start, new Map(Object.entries(filters))), expected);
  });
}

test('an image event matches by id and by name', () => {
  const tag: EventMessage = {
    Type: 'image',
    Action: 'tag',
    Actor: { ID: 'sha256:1', Attributes: { name: 'a:5000/b:c' } },
  };
  for (const [value, expected] of [
    ['a:5000/b', true],
    ['a:5000/b:c', true],
    ['sha256:1', true],
    ['a', false],
  ] as const) {
    assert.equal(filterEvents(tag, new Map([['image', [value]]])), expected, value);
  }
});

test('an event without an actor passes no filter that asks for one', () => {
  for (const key of ['container', 'image', 'label']) {
    assert.equal(filterEvents({ Type: 'daemon', Action: 'reload' }, new Map([[key, ['x']]])), false, key);
  }
});
