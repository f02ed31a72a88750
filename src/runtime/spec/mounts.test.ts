import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostConfig } from '../../api/index.ts';
import type { SpecInput } from '../spec-input.ts';
import type { OciMount } from '../spec-types.ts';
import { DEFAULT_SHM_SIZE, INIT_TARGET, mountsOf, rootPropagation, wantsInit } from './mounts.ts';
import { inputOf } from './spec.cases.ts';

const of = (hostConfig: HostConfig, change: Partial<SpecInput> = {}, init?: string) =>
  mountsOf(inputOf(hostConfig, {}, change), init);
const at = (mounts: OciMount[], path: string) => mounts.filter(({ destination }) => destination === path);
const options = (mounts: OciMount[], path: string) => at(mounts, path)[0]?.options ?? [];
const bind = (destination: string, ...words: string[]): OciMount => ({
  destination,
  type: 'bind',
  source: '/x',
  options: words,
});

describe('/dev/shm', () => {
  it('is memory of the size that was asked for, and 64 MB otherwise', () => {
    assert.equal(DEFAULT_SHM_SIZE, 67108864);
    for (const [ShmSize, expected] of [
      [undefined, 67108864],
      [0, 67108864],
      [1, 1],
      [2 ** 31, 2147483648],
    ] as const) {
      const [shm] = at(of(ShmSize === undefined ? {} : { ShmSize }), '/dev/shm');
      assert.equal(shm?.type, 'tmpfs');
      assert.deepEqual(shm?.options, ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${expected}`]);
    }
  });

  it('is the host’s, another’s or none by the mode of its ipc', () => {
    assert.equal(at(of({ IpcMode: 'host' }, { shmPath: '/mine' }), '/dev/shm')[0]?.source, '/dev/shm');
    assert.equal(at(of({ IpcMode: 'shareable' }, { shmPath: '/mine' }), '/dev/shm')[0]?.source, '/mine');
    assert.deepEqual(options(of({ IpcMode: 'shareable' }, { shmPath: '/mine' }), '/dev/shm'), [
      'rbind',
      'rprivate',
    ]);
    assert.deepEqual(at(of({ IpcMode: 'none' }, { shmPath: '/mine' }), '/dev/shm'), []);
    assert.equal(at(of({ IpcMode: 'private' }), '/dev/shm')[0]?.type, 'tmpfs');
  });
});

describe('a read-only root', () => {
  it('closes what is of the image or the host, and keeps memory and kernel interfaces', () => {
    const mounts = of({ ReadonlyRootfs: true, Privileged: true });
    for (const path of ['/sys', '/sys/fs/cgroup']) {
      assert.ok(options(mounts, path).includes('ro'), path);
      assert.ok(!options(mounts, path).includes('rw'), path);
    }
    for (const path of ['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue'])
      assert.ok(!options(mounts, path).includes('ro'), path);
  });

  it('says ro once, and leaves the mounts of the request as they are', () => {
    const mine = bind('/data', 'rbind', 'rw');
    const mounts = of({ ReadonlyRootfs: true }, { mounts: [mine] });
    for (const { destination, options: words } of mounts)
      assert.ok((words ?? []).filter((word) => word === 'ro').length <= 1, destination);
    assert.deepEqual(at(mounts, '/data'), [bind('/data', 'rbind', 'rw')]);
  });

  it('of one container changes nothing for the next', () => {
    of({ ReadonlyRootfs: true, Privileged: true });
    assert.ok(options(of({ Privileged: true }), '/sys').includes('rw'));
  });
});

describe('mounts of the request', () => {
  it('come after the kernel’s, in their order', () => {
    const mine = ['/b', '/a', '/a/b'].map((path) => bind(path, 'rbind'));
    assert.deepEqual(of({}, { mounts: mine }).slice(-3), mine);
  });

  it('replace a kernel’s of the same place, and with /dev all that lies below', () => {
    for (const path of ['/proc', '/sys', '/sys/fs/cgroup', '/dev/mqueue', '/dev/pts']) {
      const mounts = of({}, { mounts: [bind(path, 'rbind')] });
      assert.deepEqual(at(mounts, path), [bind(path, 'rbind')], path);
    }
    const dev = of({}, { mounts: [bind('/dev', 'rbind')] });
    assert.deepEqual(
      dev.filter(({ destination }) => destination.startsWith('/dev')),
      [bind('/dev', 'rbind')],
    );
    const like = of({}, { mounts: [bind('/devices', 'rbind')] });
    assert.equal(at(like, '/dev/pts').length, 1);
  });

  it('set the propagation that the root needs for them', () => {
    const cases: [string[], string | undefined][] = [
      [[], undefined],
      [['rbind', 'rprivate'], undefined],
      [['rbind', 'shared'], 'shared'],
      [['rbind', 'rshared'], 'shared'],
      [['rbind', 'slave'], 'rslave'],
      [['rbind', 'rslave'], 'rslave'],
      [['notshared', 'enslave'], undefined],
    ];
    for (const [words, expected] of cases)
      assert.equal(rootPropagation([bind('/x', ...words)]), expected, words.join());
    assert.equal(rootPropagation([bind('/x', 'rslave'), bind('/y', 'rshared')]), 'shared');
    assert.equal(rootPropagation([{ destination: '/x' }]), undefined);
  });
});

describe('the init program', () => {
  it('is wanted where it is asked for and pid 1 is the container’s own', () => {
    const cases: [HostConfig, boolean | undefined, boolean][] = [
      [{}, undefined, false],
      [{}, true, true],
      [{ Init: false }, true, false],
      [{ Init: true }, undefined, true],
      [{ Init: true, PidMode: 'private' }, undefined, true],
      [{ Init: true, PidMode: 'host' }, true, false],
      [{ Init: true, PidMode: 'container:x' }, true, false],
    ];
    for (const [hostConfig, byDaemon, expected] of cases) {
      const defaults = byDaemon === undefined ? {} : { init: byDaemon };
      assert.equal(wantsInit(inputOf(hostConfig, {}, { defaults })), expected, JSON.stringify(hostConfig));
    }
  });

  it('is bound last and read-only, so that no mount of the request hides it', () => {
    const mounts = of({ Init: true }, { mounts: [bind('/sbin', 'rbind')] }, '/usr/bin/tini');
    assert.deepEqual(mounts.at(-1), {
      destination: INIT_TARGET,
      type: 'bind',
      source: '/usr/bin/tini',
      options: ['bind', 'ro'],
    });
  });
});
