import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SandboxRecord } from '../../network/types.ts';
import { linkDocuments, linkEnvironment, parseLink, resolveLinks } from './links.ts';
import type { ContainerRecord } from './record.ts';
import { testRecord } from './test-fixture.ts';

const target = testRecord({
  id: 'b'.repeat(64),
  name: 'ga',
  sandboxId: 's',
  config: {
    ExposedPorts: { '90/tcp': {}, '80/tcp': {}, '81/tcp': {}, '82/tcp': {}, '53/udp': {} },
    Env: ['HOME=/x', 'PATH=/bin', 'A_B=c', 'X=a b'],
  },
});

function deps(records: ContainerRecord[] = [target]) {
  return {
    store: {
      get: (id: string) => records.find((one) => one.id === id),
      resolve: (ref: string) => {
        const found = records.find((one) => one.name === ref || one.id === ref);
        if (!found) throw new Error(`No such container: ${ref}`);
        return found;
      },
    },
    networks: {
      sandbox: () =>
        ({ endpoints: [{ networkName: 'bridge', ipv4: '172.17.0.2' }] }) as unknown as SandboxRecord,
    },
  };
}

const linked = (...links: string[]) =>
  testRecord({ name: 'gb', hostConfig: { NetworkMode: 'bridge', Links: links } });

test('a link is a name, and another one if it says so', () => {
  assert.deepEqual(parseLink('db'), { ref: 'db', alias: 'db' });
  assert.deepEqual(parseLink('/db:/gb/data'), { ref: '/db', alias: 'data' });
  for (const wrong of ['', ':x', 'a:', 'a:b:c']) assert.equal(parseLink(wrong), undefined, wrong);
});

test('links hold by id, and are shown by the names of the moment', () => {
  const { store } = deps();
  const record = linked('ga:lnk', 'ga');
  resolveLinks(store, record.hostConfig);
  assert.deepEqual(record.hostConfig.Links, [`${target.id}:lnk`, `${target.id}:ga`]);
  assert.deepEqual(linkDocuments(store, record), ['/ga:/gb/lnk', '/ga:/gb/ga']);
  assert.deepEqual(linkDocuments(deps([{ ...target, name: 'ga3' }]).store, record), [
    '/ga3:/gb/lnk',
    '/ga3:/gb/ga',
  ]);
  assert.deepEqual(linkDocuments(deps([]).store, linked(`${target.id}:lnk`)), ['/bbbbbbbbbbbb:/gb/lnk']);
  assert.equal(linkDocuments(store, testRecord()), null);
  assert.throws(() => resolveLinks(store, { NetworkMode: 'bridge', Links: ['::'] }), {
    kind: 'internal',
    message: 'bad format for links: ::',
  });
  assert.throws(() => resolveLinks(store, { NetworkMode: 'bridge', Links: ['nosuch'] }), {
    kind: 'invalid',
    message: 'could not get container for nosuch: No such container: nosuch',
  });
  const elsewhere = { NetworkMode: 'one', Links: ['nosuch:x'] };
  resolveLinks(store, elsewhere);
  assert.equal(linkDocuments(store, testRecord({ hostConfig: elsewhere })), null);
});

// As the reference set them for `--expose 80-82 --expose 90 --expose 53/udp`, ports in their order.
test('variables tell of a linked container: its address, ports, runs of ports, and variables', () => {
  const url = 'tcp://172.17.0.2';
  const port = (number: number, protocol = 'tcp') => {
    const name = `MY_LNK_PORT_${number}_${protocol.toUpperCase()}`;
    return [
      `${name}=${protocol}://172.17.0.2:${number}`,
      `${name}_ADDR=172.17.0.2`,
      `${name}_PORT=${number}`,
      `${name}_PROTO=${protocol}`,
    ];
  };
  assert.deepEqual(linkEnvironment(deps(), linked(`${target.id}:my-lnk`)), [
    `MY_LNK_PORT=${url}:80`,
    ...[80, 81, 82, 90].flatMap((number) => port(number)),
    ...port(53, 'udp'),
    `MY_LNK_PORT_80_TCP_START=${url}:80`,
    'MY_LNK_PORT_80_TCP_PORT_START=80',
    `MY_LNK_PORT_80_TCP_END=${url}:82`,
    'MY_LNK_PORT_80_TCP_PORT_END=82',
    'MY_LNK_NAME=/gb/my-lnk',
    'MY_LNK_ENV_A_B=c',
    'MY_LNK_ENV_X=a b',
  ]);
  assert.deepEqual(linkEnvironment(deps(), testRecord()), []);
});

test('one that does not run, or is gone, can not be linked to', () => {
  const stopped = { ...target };
  delete stopped.sandboxId;
  for (const [records, name] of [
    [[stopped], 'ga'],
    [[], 'bbbbbbbbbbbb'],
  ] as const) {
    assert.throws(() => linkEnvironment(deps([...records]), linked(`${target.id}:lnk`)), {
      kind: 'internal',
      message: `Cannot link to a non running container: /${name} AS /gb/lnk`,
    });
  }
});
