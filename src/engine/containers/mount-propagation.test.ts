import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mount, type mountInfo, umount } from '../../sys/index.ts';
import { checkPropagation } from './mount-propagation.ts';

type Mounts = ReturnType<typeof mountInfo>;

const at = (mountPoint: string, ...optional: string[]) =>
  ({ mountPoint, optional }) as unknown as Mounts[number];

test('what each propagation needs of the mount below the source', () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-propagation-'));
  try {
    const marks = { private: [], shared: ['shared:1'], slave: ['master:1'], both: ['shared:2', 'master:1'] };
    const allowed: Record<string, string[]> = {
      private: ['private', 'rprivate', 'unbindable', ''],
      shared: ['private', 'rprivate', 'unbindable', '', 'shared', 'rshared', 'slave', 'rslave'],
      slave: ['private', 'rprivate', 'unbindable', '', 'slave', 'rslave'],
      both: ['private', 'rprivate', 'unbindable', '', 'shared', 'rshared', 'slave', 'rslave'],
    };
    for (const [kind, optional] of Object.entries(marks)) {
      const table = () => [at('/', 'shared:9'), at(root, ...optional)];
      for (const propagation of allowed['shared'] ?? []) {
        const check = () => checkPropagation(root, propagation, table);
        if (allowed[kind]?.includes(propagation)) {
          check();
          continue;
        }
        const needed = propagation.endsWith('shared') ? 'a shared mount' : 'a shared or slave mount';
        const message = `path ${root} is mounted on ${root} but it is not ${needed}`;
        assert.throws(check, { kind: 'internal', message }, `${propagation} on ${kind}`);
      }
    }
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('the deepest mount counts, of two on one point the later, and a name that only begins alike does not', () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-propagation-'));
  try {
    mkdirSync(join(root, 'deep/er'), { recursive: true });
    symlinkSync(join(root, 'deep'), join(root, 'link'));
    const shared = (table: Mounts, path = join(root, 'deep/er')) => {
      try {
        checkPropagation(path, 'rshared', () => table);
        return true;
      } catch {
        return false;
      }
    };
    const deep = join(root, 'deep');
    assert.equal(shared([at('/', 'shared:1')]), true);
    assert.equal(shared([at('/', 'shared:1'), at(deep)]), false);
    assert.equal(shared([at(deep, 'shared:2'), at('/')]), true);
    assert.equal(shared([at(deep), at(deep, 'shared:3')]), true);
    assert.equal(shared([at(deep, 'shared:3'), at(deep)]), false);
    assert.equal(shared([at('/', 'shared:1'), at(join(root, 'de'))]), true);
    assert.equal(shared([at('/'), at(deep, 'shared:1')], join(root, 'link')), true, 'links are followed');
    assert.equal(shared([]), false);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('private propagations do not look at the mounts', () => {
  for (const propagation of ['', 'private', 'rprivate']) {
    checkPropagation('/nonexistent', propagation, () => assert.fail('asked'));
  }
});

test("the host's own mounts", { skip: process.getuid?.() === 0 ? false : 'root is needed to mount' }, () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-propagation-'));
  mount({ source: 'none', target: root, type: 'tmpfs' });
  try {
    mount({ source: 'none', target: root, flags: ['private'] });
    assert.throws(() => checkPropagation(root, 'rshared'), /but it is not a shared mount$/);
    mount({ source: 'none', target: root, flags: ['shared'] });
    checkPropagation(root, 'rshared');
    mkdirSync(join(root, 'below'));
    checkPropagation(join(root, 'below'), 'slave');
  } finally {
    umount(root, { detach: true });
    rmSync(root, { recursive: true });
  }
});
