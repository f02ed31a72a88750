import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isKind } from '../base/index.ts';
import { cgroupPaths, cgroupPids, describeCgroups, detectCgroups, removeCgroup } from './cgroup.ts';
import { parseMountInfo } from './mount-info.ts';
import { pidfdSendSignal } from './pidfd.ts';
import { spawnProcess } from './spawn.ts';

const v1 = (at: number, names: string) =>
  `${at} 1 0:${at} / /sys/fs/cgroup/${names} rw,nosuid - cgroup cgroup rw,xattr,${names}`;
const unified = (path: string) => `30 1 0:30 / ${path} rw - cgroup2 cgroup2 rw,nsdelegate`;
const described = (lines: string[], offered: string[] = []) =>
  describeCgroups(parseMountInfo(lines.join('\n')), () => offered);

describe('layouts', () => {
  it('knows the unified one', () => {
    assert.deepEqual(described([unified('/sys/fs/cgroup')], ['cpu', 'memory']), {
      version: 2,
      hybrid: false,
      unifiedMount: '/sys/fs/cgroup',
      controllers: new Map([
        ['cpu', '/sys/fs/cgroup'],
        ['memory', '/sys/fs/cgroup'],
      ]),
    });
  });

  it('knows version 1 with joined controllers and named hierarchies', () => {
    const found = described([v1(20, 'cpu,cpuacct'), v1(21, 'name=systemd')]);
    assert.deepEqual([found.version, found.hybrid, found.unifiedMount], [1, false, undefined]);
    assert.deepEqual([...found.controllers.keys()], ['cpu', 'cpuacct', 'name=systemd']);
    assert.equal(found.controllers.get('cpu'), found.controllers.get('cpuacct'));
  });

  it('knows the hybrid one, and what is left to its unified part', () => {
    const found = described([v1(20, 'memory'), unified('/sys/fs/cgroup/unified')], ['hugetlb', 'memory']);
    assert.deepEqual([found.version, found.hybrid], [1, true]);
    assert.equal(found.controllers.get('hugetlb'), '/sys/fs/cgroup/unified');
    assert.equal(found.controllers.get('memory'), '/sys/fs/cgroup/memory');
  });
});

describe('groups', () => {
  const hierarchy = detectCgroups();

  it('lists and removes what it finds below, on every hierarchy', async () => {
    const group = `/wharf-test-${process.pid}`;
    const paths = [...new Set(cgroupPaths(hierarchy, group).values())];
    assert.ok(paths.length > 0);
    const child = spawnProcess({ file: '/bin/sleep', args: ['100'], env: [] });
    try {
      for (const path of paths) mkdirSync(join(path, 'below'), { recursive: true });
      const pids = hierarchy.controllers.get('pids') ?? hierarchy.unifiedMount ?? '';
      writeFileSync(join(pids, group, 'below/cgroup.procs'), String(child.pid));
      assert.deepEqual(cgroupPids(hierarchy, group), [child.pid]);
      assert.throws(
        () => removeCgroup(hierarchy, group),
        (e) => isKind(e, 'conflict'),
      );
    } finally {
      pidfdSendSignal(child.pidfd, 9);
      await child.exited;
      removeCgroup(hierarchy, group);
    }
    assert.deepEqual(paths.filter(existsSync), []);
    assert.deepEqual(cgroupPids(hierarchy, group), []);
    removeCgroup(hierarchy, group);
  });

  it('never takes the root, or a way up, for a group', () => {
    for (const path of ['', '/', './', '/a/../..', '..']) {
      assert.throws(
        () => removeCgroup(hierarchy, path),
        (e) => isKind(e, 'invalid'),
      );
    }
  });
});
