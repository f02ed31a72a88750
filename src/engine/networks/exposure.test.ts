import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Exposure } from '../../network/types.ts';
import { World } from '../containers/lifecycle.cases.ts';
import { startContainer } from '../containers/lifecycle.ts';
import { networkExposure } from './exposure.ts';
import { listeningSockets } from './listening-sockets.ts';

test('ways through networks and sockets on the host’s, in one order', async () => {
  await using world = new World();
  const add = (name: string, mode: string) =>
    world.add({ name, hostConfig: { NetworkMode: mode }, networkingConfig: { EndpointsConfig: {} } });
  const web = add('web', 'bridge');
  const host = add('agent', 'host');
  const guest = add('guest', `container:${host.id}`);
  add('stopped', 'host');
  for (const { id } of [web, host, guest]) await startContainer(world.deps, id);
  const way = { containerId: web.id, network: 'bridge', from: 'lan', why: 'so' } as const;
  world.stack.exposure = (): Exposure[] => [
    { ...way, protocol: 'any', containerPort: 0, at: '172.17.0.2', from: 'host' },
    { ...way, protocol: 'tcp', containerPort: 80, at: '0.0.0.0:8080' },
    { ...way, containerId: host.id, network: '', protocol: 'any', containerPort: 0, at: 'everywhere' },
  ];
  const rows = await networkExposure({
    ...world.deps,
    networks: world.stack,
    sockets: (pids) =>
      pids.length > 0
        ? [
            { protocol: 'tcp', port: 9100, at: '0.0.0.0:9100', loopback: false },
            { protocol: 'udp', port: 53, at: '127.0.0.1:53', loopback: true },
          ]
        : [],
  });
  const ofHost = (name: string) => [
    [name, 'host', '53/udp', '127.0.0.1:53', 'host'],
    [name, 'host', '9100/tcp', '0.0.0.0:9100', 'lan'],
  ];
  assert.deepEqual(
    rows.map((row) => [row.ContainerName, row.Network, row.Port, row.At, row.From]),
    [
      ...ofHost('agent'),
      ...ofHost('guest'),
      ['web', 'bridge', '80/tcp', '0.0.0.0:8080', 'lan'],
      ['web', 'bridge', 'any', '172.17.0.2', 'host'],
    ],
  );
  assert.equal(rows[0]?.ContainerID, host.id);
  assert.match(rows[0]?.Why ?? '', /uses the host's network .* listens on 127\.0\.0\.1:53/);
});

test('sockets of this process are found, those of others are not', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const own = listeningSockets([process.pid, 2 ** 30]);
  assert.deepEqual(
    own.filter((socket) => socket.port === port),
    [{ protocol: 'tcp', port, at: `127.0.0.1:${port}`, loopback: true }],
  );
  assert.deepEqual(listeningSockets([]), []);
  server.close();
});

test('tables of proc: both families, listening only, each socket once', () => {
  const proc = mkdtempSync(join(tmpdir(), 'wharf-proc-'));
  try {
    mkdirSync(join(proc, 'self/net'), { recursive: true });
    for (const [pid, inodes] of [
      [1, [11, 12, 13, 14, 15]],
      [2, [11]],
    ] as const) {
      mkdirSync(join(proc, `${pid}/fd`), { recursive: true });
      for (const inode of inodes) symlinkSync(`socket:[${inode}]`, join(proc, `${pid}/fd/${inode}`));
      symlinkSync('/dev/null', join(proc, `${pid}/fd/1`));
    }
    const row = (local: string, state: string, inode: number) =>
      `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1`;
    const table = (name: string, ...rows: string[]) =>
      writeFileSync(join(proc, 'self/net', name), ['  sl  local_address', ...rows, ''].join('\n'));
    table(
      'tcp',
      row('00000000:1F90', '0A', 11),
      row('0100007F:1F91', '01', 12),
      row('0100007F:0050', '0A', 99),
    );
    table('tcp6', row('00000000000000000000000001000000:1F92', '0A', 13));
    table('udp', row('0200A8C0:0035', '07', 14));
    table('udp6', row('B80D01200000000000000000050000EF:0035', '07', 15));
    assert.deepEqual(listeningSockets([1, 2], proc), [
      { protocol: 'tcp', port: 8080, at: '0.0.0.0:8080', loopback: false },
      { protocol: 'tcp', port: 8082, at: '[::1]:8082', loopback: true },
      { protocol: 'udp', port: 53, at: '192.168.0.2:53', loopback: false },
      { protocol: 'udp', port: 53, at: '[2001:db8::ef00:5]:53', loopback: false },
    ]);
  } finally {
    rmSync(proc, { recursive: true });
  }
});
