import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventMessage } from '../../api/index.ts';
import { filterEvents } from './index.ts';

const start: EventMessage = {
  Type: 'container',
  Action: 'health_status: healthy',
  Actor: { ID: 'abcdef', Attributes: { image: 'busybox:1.36', name: 'web', tier: 'front' } },
  scope: 'local',
};
const cases: [Record<string, string[]>, boolean][] = [
  [{}, true],
  [{ container: ['web'] }, true],
  [{ container: ['/web'] }, true],
  [{ container: ['abc'] }, true],
  [{ container: ['we'] }, false],
  [{ container: ['other', 'web'] }, true],
  [{ image: ['busybox'] }, true],
  [{ image: ['busybox:1.36'] }, true],
  [{ image: ['busybox:2'] }, false],
  [{ event: ['health_status'] }, true],
  [{ event: ['health_status: healthy'] }, true],
  [{ event: ['health'] }, false],
  [{ label: ['tier'] }, true],
  [{ label: ['tier=front'] }, true],
  [{ label: ['tier=front', 'other'] }, false],
  [{ type: ['network'] }, false],
  [{ type: ['network', 'container'] }, true],
  [{ scope: ['local'] }, true],
  [{ scope: ['swarm'] }, false],
  [{ volume: ['abc'] }, false],
  [{ container: ['web'], event: ['die'] }, false],
  [{ nonsense: ['x'] }, false],
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
    Actor: { ID: 'sha256:1', Attributes: { name: 'a/b:c' } },
  };
  assert.equal(filterEvents(tag, new Map([['image', ['a/b']]])), true);
  assert.equal(filterEvents(tag, new Map([['image', ['sha256:1']]])), true);
  assert.equal(filterEvents(tag, new Map([['image', ['a']]])), false);
});
