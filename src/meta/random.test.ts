import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { mount, umountIfMounted } from '../sys/index.ts';
import { type Database, openDatabase, openMemoryDatabase } from './index.ts';

interface Item {
  id: string;
  name?: string;
  group?: string;
  text: string;
}

const spec = {
  name: 'items',
  key: (item: Item) => item.id,
  indexes: {
    name: { unique: true, of: (item: Item) => item.name },
    group: { of: (item: Item) => item.group },
  },
};

function generator(seed: number) {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}

let dir: string;
let opened: Database | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wharf-meta-random-'));
});
afterEach(() => {
  opened?.[Symbol.dispose]();
  opened = undefined;
  umountIfMounted(dir, { detach: true });
  rmSync(dir, { recursive: true, force: true });
});

const file = () => join(dir, 'state.db');
const open = () => {
  opened = openDatabase(file());
  return opened;
};
const descriptors = () => readdirSync('/proc/self/fd').length;

class Undone extends Error {}

describe('random writes', () => {
  const KEYS = ['a', 'ab', 'abc', '%', '_', 'é', '😀', "it's", '"', '\\', ' ', '\u{10fffe}'];
  const TEXTS = ['', '\u0000', '"; drop table items; --', '\n', '😀'.repeat(500), '\ud83d\ude00'];

  it('leave what a map would hold, undone ones nothing, and so after another opening', () => {
    const random = generator(1);
    let items = open().collection<Item>(spec);
    let model = new Map<string, Item>();
    let conflicts = 0;
    const step = () => {
      const id = random.of(KEYS);
      if (random.below(4) === 0) {
        assert.equal(items.delete(id), model.delete(id));
        return;
      }
      const name = random.of([undefined, 'n1', 'n2', 'n3']);
      const item: Item = {
        id,
        ...(name && { name }),
        group: random.of(['g1', 'g2']),
        text: random.of(TEXTS),
      };
      const taken =
        name !== undefined && [...model.values()].some((other) => other.name === name && other.id !== id);
      if (taken) {
        assert.throws(() => items.put(item), { kind: 'conflict' });
        conflicts += 1;
      } else {
        items.put(item);
        model.set(id, item);
      }
    };
    for (let round = 0; round < 300; round++) {
      const before = new Map(model);
      if (random.below(5) === 0) {
        const undone = random.below(2) === 0;
        const work = () => {
          for (let left = 4; left > 0; left--) step();
          if (undone) throw new Undone();
        };
        if (undone) assert.throws(() => (opened as Database).transaction(work), Undone);
        else (opened as Database).transaction(work);
        if (undone) model = before;
      } else step();
      const byId = (one: Item, other: Item) => (one.id < other.id ? -1 : 1);
      assert.deepEqual(items.all().sort(byId), [...model.values()].sort(byId), `round ${round}`);
      assert.equal(items.count(), model.size);
      for (const key of KEYS) assert.deepEqual(items.get(key), model.get(key));
      const inGroup = [...model.values()].filter(({ group }) => group === 'g1');
      assert.deepEqual(items.find('group', 'g1').sort(byId), inGroup.sort(byId));
      const prefixed = [...model.keys()].filter((key) => key.startsWith('a')).sort();
      assert.deepEqual(items.keysByPrefix('a', 10), prefixed);
      if (round % 100 !== 99) continue;
      opened?.[Symbol.dispose]();
      items = open().collection<Item>(spec);
    }
    assert.ok(conflicts > 20, `${conflicts} conflicts`);
    assert.deepEqual(opened?.check(), []);
  });
});

describe('a database on a full disk', () => {
  it('refuses with `exhausted`, keeps what was there, and goes on when there is room', () => {
    mount({ source: 'tmpfs', target: dir, type: 'tmpfs', data: 'size=512k' });
    const items = open().collection<Item>(spec);
    items.put({ id: 'first', text: 'kept' });
    let written = 0;
    assert.throws(
      () => {
        for (; written < 1000; written++) items.put({ id: `${written}`, text: 'x'.repeat(5000) });
      },
      (thrown) => isKind(thrown, 'exhausted'),
    );
    assert.equal(items.count(), written + 1);
    const work = () => {
      items.put({ id: 'first', text: 'changed' });
      items.put({ id: 'large', text: 'x'.repeat(300_000) });
    };
    assert.throws(
      () => opened?.transaction(work),
      (thrown) => isKind(thrown, 'exhausted'),
    );
    assert.equal(items.get('first')?.text, 'kept');
    assert.equal(items.get('large'), undefined);
    opened?.[Symbol.dispose]();
    mount({ source: 'tmpfs', target: dir, type: 'tmpfs', flags: ['remount'], data: 'size=8m' });
    const again = open().collection<Item>(spec);
    again.put({ id: 'later', text: 'fits' });
    assert.deepEqual([again.get('first')?.text, again.count()], ['kept', written + 2]);
    assert.deepEqual(opened?.check(), []);
  });

  it('has taken room beforehand for what gives room back', () => {
    mount({ source: 'tmpfs', target: dir, type: 'tmpfs', data: 'size=16m' });
    const items = open().collection<Item>(spec);
    for (let at = 0; at < 50; at++) items.put({ id: `${at}`, text: 'x'.repeat(2000) });
    const ballast = join(dir, 'ballast');
    assert.throws(() => {
      for (;;) appendFileSync(ballast, Buffer.alloc(4096));
    }, /ENOSPC/);
    for (let at = 0; at < 50; at++) items.delete(`${at}`);
    assert.equal(items.count(), 0);
  });
});

describe('a file that is no database', () => {
  const broken: [what: string, make: () => void][] = [
    ['of noise', () => writeFileSync(file(), Buffer.alloc(8192, 'noise'))],
    ['cut in its first page', () => truncateSync(file(), 60)],
  ];
  for (const [what, make] of broken) {
    it(`${what} is refused as \`corrupt\`, left as it is, and no lock or descriptor stays`, () => {
      open().collection<Item>(spec).put({ id: 'a', text: 'x' });
      opened?.[Symbol.dispose]();
      opened = undefined;
      make();
      const size = statSync(file()).size;
      const before = descriptors();
      for (let round = 0; round < 3; round++)
        assert.throws(
          () => openDatabase(file()).collection(spec).all(),
          (thrown) => isKind(thrown, 'corrupt'),
        );
      assert.equal(statSync(file()).size, size);
      assert.equal(descriptors(), before);
    });
  }

  it('but a folder is refused, too, and makes nothing of it', () => {
    mkdirSync(file());
    const before = descriptors();
    assert.throws(() => openDatabase(file()));
    assert.equal(descriptors(), before);
    assert.ok(statSync(file()).isDirectory());
  });
});

describe('disposal', () => {
  it('twice is once; after it every call is refused and none is lost', () => {
    const database = open();
    const items = database.collection<Item>(spec);
    items.put({ id: 'a', text: 'x' });
    database[Symbol.dispose]();
    database[Symbol.dispose]();
    for (const call of [
      () => items.get('a'),
      () => items.put({ id: 'b', text: '' }),
      () => database.transaction(() => 1),
      () => database.check(),
    ])
      assert.throws(call);
    assert.deepEqual(open().collection<Item>(spec).all(), [{ id: 'a', text: 'x' }]);
  });

  it('of one in memory forgets it, and two never meet', () => {
    using one = openMemoryDatabase();
    using two = openMemoryDatabase();
    one.collection<Item>(spec).put({ id: 'a', text: 'x' });
    assert.deepEqual(two.collection<Item>(spec).all(), []);
  });
});
