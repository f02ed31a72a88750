import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type ErrorKind, WharfError } from '../base/index.ts';
import { openMemoryDatabase } from '../meta/index.ts';
import {
  openOverlaySnapshotter,
  type SnapshotKind,
  type Snapshotter,
  type SnapshotterOptions,
} from './index.ts';
import { mounted } from './suite.ts';

function generator(seed: number) {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}
type Random = ReturnType<typeof generator>;

function opened(open: (options: SnapshotterOptions) => Snapshotter) {
  const top = mkdtempSync('/var/tmp/wharf-snap-random-');
  const database = openMemoryDatabase();
  return {
    snapshots: open({ root: join(top, 'snapshots'), database }),
    root: join(top, 'snapshots'),
    [Symbol.dispose]() {
      database[Symbol.dispose]();
      rmSync(top, { recursive: true, force: true });
    },
  };
}

const KINDS = [['overlay', openOverlaySnapshotter]] as const;

/** What `docker diff` looks at, by name; a directory holds its entries. */
interface Seen {
  attributes: string;
  entries: Map<string, Seen> | undefined;
}

function look(path: string): Seen {
  const { mode, uid, gid, rdev, size, mtimeNs } = lstatSync(path, { bigint: true });
  const directory = (mode & 0o170000n) === 0o040000n;
  const attributes = [mode, uid, gid, rdev, ...(directory ? [] : [size, mtimeNs])].join();
  if (!directory) return { attributes, entries: undefined };
  return { attributes, entries: new Map(readdirSync(path).map((name) => [name, look(join(path, name))])) };
}

/** The changes from one state of a tree to the next, by comparing every name. */
function changed(before: Seen, after: Seen, path = ''): string[] {
  const found: string[] = [];
  const [was, is] = [before.entries ?? new Map<string, Seen>(), after.entries ?? new Map<string, Seen>()];
  for (const [name, entry] of is) {
    const old = was.get(name);
    const inside = entry.entries
      ? changed(old ?? { attributes: '', entries: undefined }, entry, `${path}/${name}`)
      : [];
    if (!old) found.push(`added ${path}/${name}`);
    else if (inside.length > 0 || old.attributes !== entry.attributes) found.push(`modified ${path}/${name}`);
    found.push(...inside);
  }
  for (const name of was.keys()) if (!is.has(name)) found.push(`deleted ${path}/${name}`);
  return found;
}

const NAMES = ['a', 'b', 'c', 'd'];

/** Something that a process in a container does somewhere in its tree; what the system refuses is no change. */
function act(root: string, random: Random): void {
  const somewhere = () => join(root, ...Array.from({ length: 1 + random.below(3) }, () => random.of(NAMES)));
  const [path, other] = [somewhere(), somewhere()];
  const acts: (() => void)[] = [
    () => writeFileSync(path, `text ${random.below(1000)}`),
    () => mkdirSync(path, { recursive: true }),
    () => mkdirSync(path),
    () => rmSync(path, { recursive: true }),
    () => {
      rmSync(path, { recursive: true });
      mkdirSync(path);
      writeFileSync(join(path, 'a'), 'of another directory');
    },
    () => chmodSync(path, random.of([0o700, 0o755, 0o4755])),
    () => chownSync(path, random.below(3), 0),
    () => symlinkSync('a', path),
    () => linkSync(path, other),
    () => renameSync(path, other),
  ];
  try {
    random.of(acts)();
  } catch (thrown) {
    if (thrown instanceof assert.AssertionError) throw thrown;
  }
}

for (const [name, open] of KINDS) {
  describe(`${name}: random work in a container`, () => {
    it('is shown as the difference of the trees before and after', async () => {
      const random = generator(7);
      let shown = 0;
      for (let round = 0; round < 8; round++) {
        using home = opened(open);
        const { snapshots } = home;
        let parent: string | undefined;
        for (const layer of ['one', 'two']) {
          await snapshots.prepare('make', parent);
          await mounted(snapshots.mount('make'), (root) => {
            for (let left = 60; left > 0; left--) act(root, random);
          });
          await snapshots.commit(layer, 'make');
          parent = layer;
        }
        await snapshots.prepare('c', 'two');
        const before = await mounted(snapshots.mount('two'), look);
        const after = await mounted(snapshots.mount('c'), (root) => {
          for (let left = 5 + random.below(30); left > 0; left--) act(root, random);
          return look(root);
        });
        const changes = (await snapshots.changes('c')).map(({ kind, path }) => `${kind} ${path}`);
        assert.deepEqual(changes.sort(), changed(before, after).sort(), `round ${round}`);
        shown += changes.length;
      }
      assert.ok(shown > 25, `${shown} changes were shown`);
    });
  });

  describe(`${name}: random calls`, () => {
    it('are answered as a list of keys and kinds would answer them', async () => {
      const random = generator(11);
      using home = opened(open);
      const { snapshots } = home;
      const model = new Map<string, { kind: SnapshotKind; parent: string | undefined }>();
      const keys = ['k1', 'k2', 'sha256:x', 'l1', 'l2'];
      const used = (key: string) => [...model.values()].some(({ parent }) => parent === key);
      const calls: ((
        key: string,
        other: string,
      ) => [ErrorKind | undefined, () => Promise<void>, () => void])[] = [
        (key, other) => {
          const parent = random.below(3) === 0 ? undefined : other;
          const below = parent === undefined ? undefined : model.get(parent);
          const refusal = model.has(key)
            ? 'conflict'
            : parent === undefined
              ? undefined
              : !below
                ? 'not-found'
                : below.kind === 'layer'
                  ? undefined
                  : 'conflict';
          return [
            refusal,
            () => snapshots.prepare(key, parent),
            () => void model.set(key, { kind: 'active', parent }),
          ];
        },
        (key, layer) => {
          const [active, there] = [model.get(key), model.get(layer)];
          const refusal = !active
            ? 'not-found'
            : active.kind === 'layer' || (there && there.kind !== 'layer' && layer !== key)
              ? 'conflict'
              : undefined;
          return [
            refusal,
            () => snapshots.commit(layer, key),
            () => {
              model.delete(key);
              if (!there || layer === key) model.set(layer, { kind: 'layer', parent: active?.parent });
            },
          ];
        },
        (key) => {
          const refusal = !model.has(key) ? 'not-found' : used(key) ? 'conflict' : undefined;
          return [refusal, () => snapshots.remove(key), () => void model.delete(key)];
        },
      ];
      let [refused, done] = [0, 0];
      for (let round = 0; round < 250; round++) {
        const [key, other] = [random.of(keys), random.of(keys)];
        // A commit under its own key keeps the folder; the contract leaves it open, so it is not asked.
        if (key === other) continue;
        const [refusal, call, note] = random.of(calls)(key, other);
        const thrown = await call().then(
          () => undefined,
          (error: unknown) => error,
        );
        assert.equal(
          thrown === undefined ? undefined : WharfError.from(thrown).kind,
          refusal,
          `round ${round}: ${thrown}`,
        );
        if (thrown === undefined) note();
        if (refusal) refused += 1;
        else done += 1;
        const expected = [...model].map(([name, one]) => ({ key: name, ...one }));
        const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
        assert.deepEqual(snapshots.list().sort(byKey), expected.sort(byKey), `round ${round}`);
      }
      assert.ok(refused > 30 && done > 20, `${refused} refused, ${done} done`);
      await snapshots.settled();
      const folders = readdirSync(home.root).filter((one) => /^\d+$/.test(one));
      assert.equal(folders.length, model.size);
    });
  });
}
