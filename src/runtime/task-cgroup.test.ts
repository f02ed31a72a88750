import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { WharfError } from '../base/index.ts';
import { type CgroupHierarchy, cgroupPaths, detectCgroups, removeCgroup } from '../sys/index.ts';
import { TaskCgroup } from './task-cgroup.ts';

const host = detectCgroups();

describe('a group on this host', () => {
  const relative = `/wharf-test-group-${process.pid}`;
  let children: ChildProcess[] = [];
  let group: TaskCgroup;

  /** A sleeping process in the group, on every hierarchy. */
  function member(): ChildProcess {
    const child = spawn('/bin/sleep', ['60'], { stdio: 'ignore' });
    children.push(child);
    for (const dir of new Set(cgroupPaths(host, relative).values()))
      writeFileSync(`${dir}/cgroup.procs`, String(child.pid));
    return child;
  }

  beforeEach(() => {
    for (const [name, dir] of cgroupPaths(host, relative)) {
      mkdirSync(dir, { recursive: true });
      if (name !== 'cpuset' || host.version === 2) continue;
      for (const file of ['cpuset.cpus', 'cpuset.mems'])
        writeFileSync(`${dir}/${file}`, readFileSync(`${dir}/../${file}`));
    }
    group = new TaskCgroup(relative);
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    children = [];
    await group.remove();
    removeCgroup(host, relative);
  });

  it('knows and signals its processes, and no others', () => {
    const [one, two] = [member(), member()];
    assert.deepEqual(new Set(group.pids()), new Set([one.pid, two.pid]));
    assert.equal(group.signal(0).length, 2);
    assert.deepEqual(new TaskCgroup(`${relative}-other`).signal(9), []);
    assert.deepEqual(new TaskCgroup('').pids(), []);
    assert.equal(new TaskCgroup('').stats(), undefined);
  });

  it('freezes, and a frozen process dies by kill', async () => {
    const child = member();
    await group.freeze(true);
    const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    await group.kill();
    assert.equal(await ended, 'SIGKILL');
    assert.deepEqual(group.pids(), []);
  });

  it('thaws', async () => {
    member();
    await group.freeze(true);
    await group.freeze(false);
    await group.freeze(false);
    group.thawNow();
  });

  it('is removed with everything in and below it', async () => {
    const child = member();
    const pids = cgroupPaths(host, relative).get('pids') as string;
    mkdirSync(`${pids}/below`);
    writeFileSync(`${pids}/below/cgroup.procs`, String(child.pid));
    assert.deepEqual(group.pids(), [child.pid]);
    await group.remove();
    assert.equal(existsSync(pids), false);
    await group.remove();
  });

  it('takes limits, and says what the kernel refuses', () => {
    member();
    assert.equal(group.update({ pids: { limit: 12 }, memory: { limit: 64 << 20 } }), true);
    assert.equal(group.stats()?.pidsLimit, 12);
    assert.equal(group.stats()?.memoryLimit, 64 << 20);
    assert.throws(() => group.update({ cpu: { cpus: '4000' } }), /failed to write "4000" to .*cpuset\.cpus/);
    assert.equal(group.update({ devices: [{ allow: true }] }), false);
    assert.equal(group.oomKilled(), false);
  });
});

describe('a group on sample files', () => {
  let root = '';
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'wharf-group-'));
    mkdirSync(`${root}/c`);
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const sample = (version: 1 | 2): CgroupHierarchy => ({
    version,
    hybrid: false,
    controllers: new Map(['memory', 'freezer', 'pids'].map((name) => [name, root])),
    ...(version === 2 && { unifiedMount: root }),
  });
  const file = (name: string, text: string) => writeFileSync(`${root}/c/${name}`, text);

  it('counts kills for want of memory on v1 and v2', () => {
    const oomKilled = (version: 1 | 2) => new TaskCgroup('/c', sample(version)).oomKilled();
    assert.equal(oomKilled(1), false);
    file('memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n');
    assert.equal(oomKilled(1), true);
    file('memory.events', 'low 0\noom 4\noom_kill 0\n');
    assert.equal(oomKilled(2), false);
    file('memory.events', 'low 0\noom 4\noom_kill 1\n');
    assert.equal(oomKilled(2), true);
  });

  it('freezes on v2 by cgroup.freeze and waits for the event', async () => {
    file('cgroup.events', 'populated 1\nfrozen 0\n');
    const frozen = new TaskCgroup('/c', sample(2)).freeze(true);
    setTimeout(() => file('cgroup.events', 'populated 1\nfrozen 1\n'), 5);
    await frozen;
    assert.equal(readFileSync(`${root}/c/cgroup.freeze`, 'utf8'), '1');
  });

  it('has no freezer where the host has none', async () => {
    const none: CgroupHierarchy = { version: 1, hybrid: false, controllers: new Map() };
    await assert.rejects(new TaskCgroup('/c', none).freeze(true), (thrown) => {
      return thrown instanceof WharfError && thrown.kind === 'not-implemented';
    });
  });
});
