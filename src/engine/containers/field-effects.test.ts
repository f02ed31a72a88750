import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assembleSpec } from '../../runtime/index.ts';
import { containerDirectory } from './container-paths.ts';
import { createContainer } from './create.ts';
import { ableFacts, CONFIG_EFFECTS, type Effect, HOST_EFFECTS, type Seen } from './field-effects.cases.ts';
import { CONFIG_FIELDS, HOST_CONFIG_FIELDS } from './field-treatments.ts';
import { healthCheck } from './health.ts';
import { inspectContainer } from './inspect.ts';
import { World } from './lifecycle.cases.ts';
import { startContainer, stopContainer } from './lifecycle.ts';
import { writeNetworkFiles } from './network-files.ts';
import { planNetwork } from './start-network.ts';
import { CHAIN, type Fixture, openFixture, request } from './test-fixture.ts';

/** The lifecycle over the fixture's store, with the runtime layer's own specs and files. */
function startable(world: World, fixture: Fixture): void {
  const { dataRoot, store } = fixture.deps;
  const files = {
    dataRoot,
    store,
    networks: {
      hostGateway: () => '172.17.0.1',
      resolverConfig: () => ({ nameservers: ['10.0.0.1'], search: [], options: [] }),
      sandbox: (id: string) => world.sandboxes.get(id),
    },
  };
  const { networks } = world.deps;
  world.deps = {
    ...world.deps,
    store,
    networks: {
      ...networks,
      async createSandbox(input) {
        const sandbox = await networks.createSandbox(input);
        sandbox.endpoints = [{ networkName: 'bridge', ipv4: '172.17.0.9' }] as typeof sandbox.endpoints;
        return sandbox;
      },
    },
    specs: {
      ...world.deps.specs,
      assembleSpec,
      host: ableFacts(),
      resolveUser: (_root, _spec, groups) => ({
        uid: 0,
        gid: 0,
        additionalGids: [0, ...groups.map(Number)],
        home: '/root',
        name: 'root',
      }),
    },
    updateLinkedFiles: () => undefined,
    writeNetworkFiles: (record, sandbox) => writeNetworkFiles(files, record, sandbox),
  };
}

async function seen(world: World, fixture: Fixture, effect: Effect): Promise<Seen> {
  const { deps } = fixture;
  const made = await createContainer(deps, {
    ...request(effect.config, effect.hostConfig),
    networkingConfig: effect.networkingConfig ?? {},
  });
  const record = deps.store.resolve(made.id);
  mkdirSync(containerDirectory(deps.dataRoot, made.id), { recursive: true });
  await startContainer(world.deps, made.id);
  const document = await inspectContainer(
    { ...deps, networks: { sandbox: () => undefined }, networkSettings: () => ({}), execIds: () => [] },
    made.id,
    { size: false },
  );
  const task = world.tasks.of(made.id);
  const { request: sent } = task;
  assert.ok(sent.spec.process);
  const hosts = readFileSync(join(containerDirectory(deps.dataRoot, made.id), 'hosts'), 'utf8');
  const resolvConf = readFileSync(join(containerDirectory(deps.dataRoot, made.id), 'resolv.conf'), 'utf8');
  if (effect.config?.StopTimeout === 0) task.deadly.delete(15);
  await stopContainer(world.deps, made.id, {});
  const grace = task.signals.at(-1) === 9 ? (record.config.StopTimeout ?? undefined) : undefined;
  return {
    record,
    document,
    task: sent,
    spec: sent.spec,
    resources: sent.spec.linux.resources ?? {},
    process: sent.spec.process,
    plan: planNetwork(record),
    health: healthCheck(record.config),
    stop: { signal: task.signals[0], grace },
    hosts,
    resolvConf,
  };
}

async function checkAll(effects: Readonly<Record<string, Effect>>): Promise<void> {
  await using fixture = await openFixture();
  await using world = new World();
  startable(world, fixture);
  world.tasks.prepare = (task) => task.deadly.add(10);
  const donor = await createContainer(fixture.deps, {
    ...request({}, { Mounts: [{ Type: 'volume', Source: 'donation', Target: '/donated' }] }),
    name: 'donor',
  });
  await startContainer(world.deps, donor.id);
  for (const [field, effect] of Object.entries(effects)) {
    assert.deepEqual(effect.see(await seen(world, fixture, effect)), effect.is, field);
  }
  assert.equal(fixture.deps.snapshotter.stat(donor.id)?.parent, `${CHAIN}-init`);
}

test('every field of Config has its effect', async () => {
  assert.deepEqual(Object.keys(CONFIG_EFFECTS).sort(), Object.keys(CONFIG_FIELDS).sort());
  await checkAll(CONFIG_EFFECTS);
});

test('every field of HostConfig has its effect, or is refused or told of', async () => {
  const told = Object.entries(HOST_CONFIG_FIELDS)
    .filter(([, treatment]) => treatment === 'refused' || treatment === 'warned')
    .map(([field]) => field);
  assert.deepEqual([...Object.keys(HOST_EFFECTS), ...told].sort(), Object.keys(HOST_CONFIG_FIELDS).sort());
  await checkAll(HOST_EFFECTS);
});

test('what is refused or told of says so', async () => {
  await using fixture = await openFixture();
  const refused: [object, RegExp][] = [
    [{ DeviceRequests: [{ Driver: 'nvidia' }] }, /could not select device driver/],
    [{ IOMaximumIOps: 1 }, /QoS maximum IOPs/],
    [{ IOMaximumBandwidth: 1 }, /QoS maximum bandwidth/],
    [{ Cgroup: 'x' }, /invalid cgroup mode/],
    [{ StorageOpt: { size: '1G' } }, /--storage-opt is supported only/],
  ];
  for (const [hostConfig, message] of refused) {
    await assert.rejects(createContainer(fixture.deps, request({}, hostConfig)), { message });
  }
  for (const hostConfig of [{ CpuCount: 1 }, { CpuPercent: 1 }]) {
    const { warnings } = await createContainer(fixture.deps, request({}, hostConfig));
    assert.match(warnings.join(), /linux does not support CPU (count|percent)/);
  }
});
