import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeContainerCreate } from '../../api/index.ts';
import { adapt, adaptCreate, adaptVolumePrune, streamContentType } from './index.ts';

test('the newest version gets documents as they are', () => {
  const image = { Id: 'a' };
  assert.equal(adapt('image', 51, image), image);
  assert.equal(adapt('info', 51, image), image);
});

test('images: VirtualSize until 1.43, ContainerConfig until 1.44, the container’s fields until 1.49', () => {
  const image = { Size: 5, Config: { User: 'u' } };
  assert.equal('VirtualSize' in adapt('image', 44, image), false);
  assert.equal((adapt('image', 43, image) as { VirtualSize: number }).VirtualSize, 5);
  assert.equal('ContainerConfig' in adapt('image', 45, image), false);
  assert.equal('ContainerConfig' in adapt('image', 44, image), true);
  const config = (adapt('image', 49, image) as { Config: Record<string, unknown> }).Config;
  assert.deepEqual([config['User'], config['Hostname'], config['Tty']], ['u', '', false]);
  assert.deepEqual(adapt('image', 50, image), image);
  assert.deepEqual(image, { Size: 5, Config: { User: 'u' } });
});

test('image summaries: container counts, digests and dangling names', () => {
  const tagged = { RepoTags: ['a:b'], RepoDigests: [], Containers: 2, Size: 1 };
  assert.deepEqual(adapt('image-summary', 50, tagged), { ...tagged, Containers: -1 });
  assert.equal((adapt('image-summary', 42, tagged) as { RepoDigests: unknown }).RepoDigests, null);
  const dangling = adapt('image-summary', 42, { RepoTags: [], RepoDigests: [] }) as Record<string, unknown>;
  assert.deepEqual(dangling['RepoTags'], ['<none>:<none>']);
  assert.deepEqual(dangling['RepoDigests'], ['<none>@<none>']);
});

test('containers: their own names are aliases until 1.44', () => {
  const container = {
    Id: '0123456789abcdef',
    Config: { Hostname: 'hh' },
    NetworkSettings: {
      Ports: {},
      Networks: { gn1: { Aliases: ['q', 'hh'] }, gn2: { Aliases: null }, bridge: { Aliases: null } },
    },
  };
  assert.equal(adapt('container', 45, container), container);
  assert.deepEqual((adapt('container', 44, container) as typeof container).NetworkSettings, {
    Ports: {},
    Networks: {
      gn1: { Aliases: ['q', 'hh', '0123456789ab'] },
      gn2: { Aliases: ['0123456789ab', 'hh'] },
      bridge: { Aliases: null },
    },
  });
});

test('several networks at creation came with 1.44', () => {
  const request = (...names: string[]) => ({
    config: {},
    hostConfig: {},
    networkingConfig: { EndpointsConfig: Object.fromEntries(names.map((name) => [name, {}])) },
  });
  adaptCreate(43, request('gn1'));
  adaptCreate(44, request('gn1', 'bridge'));
  assert.throws(() => adaptCreate(43, request('gn1', 'bridge')), {
    kind: 'invalid',
    message: 'Container cannot be created with multiple network endpoints: gn1, bridge',
  });
});

test('info loses and gains fields by version', () => {
  const info = {
    SecurityOptions: ['name=seccomp,profile=builtin'],
    Runtimes: { crun: { path: 'crun', status: {} } },
    Containerd: {},
    FirewallBackend: {},
    RuncCommit: { ID: 'x' },
  };
  const oldest = adapt('info', 24, info) as Record<string, unknown>;
  assert.deepEqual(oldest['SecurityOptions'], ['seccomp']);
  assert.deepEqual(oldest['Runtimes'], { crun: { path: 'crun' } });
  assert.equal(oldest['KernelMemory'], true);
  assert.equal('Containerd' in oldest, false);
  assert.deepEqual(oldest['RuncCommit'], { ID: 'x', Expected: 'x' });
  const newer = adapt('info', 49, info) as Record<string, unknown>;
  assert.equal('FirewallBackend' in newer, true);
  assert.equal(newer['BridgeNfIptables'], false);
});

test('create requests mean what they meant', () => {
  const text =
    '{"Image":"b","Healthcheck":{"StartInterval":5},"HostConfig":{"AutoRemove":true,"KernelMemory":7,"Annotations":{"a":"b"}}}';
  const at = (version: number) => adaptCreate(version, decodeContainerCreate(text));
  assert.equal(at(24).hostConfig.AutoRemove, false);
  assert.equal(at(25).hostConfig.AutoRemove, true);
  assert.equal(at(39).hostConfig.IpcMode, 'shareable');
  assert.equal(at(40).hostConfig.IpcMode, undefined);
  assert.equal(at(40).hostConfig.CgroupnsMode, 'host');
  assert.equal(at(41).hostConfig.CgroupnsMode, undefined);
  assert.equal(at(41).hostConfig.KernelMemory, 7);
  assert.equal(at(42).hostConfig.KernelMemory, undefined);
  assert.equal(at(42).hostConfig.Annotations, undefined);
  assert.deepEqual(at(44).config.Healthcheck, { StartInterval: 5 });
  assert.deepEqual(at(43).config.Healthcheck, {});
});

test('streams and volume prunes', () => {
  assert.equal(streamContentType(42, true), 'application/vnd.docker.multiplexed-stream');
  assert.equal(streamContentType(41, true), 'application/vnd.docker.raw-stream');
  assert.equal(streamContentType(51, false), 'application/vnd.docker.raw-stream');
  assert.deepEqual([...adaptVolumePrune(41, new Map())], [['all', ['true']]]);
  assert.equal(adaptVolumePrune(42, new Map()).size, 0);
});
