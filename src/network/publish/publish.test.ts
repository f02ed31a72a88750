import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import type { PortRequest } from '../types.ts';
import { PortTable } from './publish.ts';

describe('ports', () => {
  const owner = { containerId: 'c'.repeat(64), name: 'web', endpointId: 'e1', containerIp: '10.0.0.2' };
  const ask = (hostPort: number, more: Partial<PortRequest> = {}): PortRequest => ({
    protocol: 'tcp',
    containerPort: 80,
    hostIp: '',
    hostPort,
    ...more,
  });
  const table = (options: { hold?: () => Promise<{ close(): void }>; range?: [number, number] } = {}) =>
    new PortTable({
      hostBinding: '0.0.0.0',
      ipv6: true,
      range: [40000, 40003],
      hold: async () => ({ close() {} }),
      ...options,
    });

  it('are listed for both families when no address is named, if the host has both', async () => {
    const made = await table().reserve([ask(8080)], owner);
    assert.deepEqual(
      made.map(({ hostIp, hostPort }) => `${hostIp} ${hostPort}`),
      ['0.0.0.0 8080', ':: 8080'],
    );
  });

  it('are refused in the words of the Engine when a container has them', async () => {
    const ports = table();
    await ports.reserve([ask(8080)], owner);
    const expected =
      'failed to set up container networking: driver failed programming external connectivity on endpoint db (e2): ' +
      'Bind for 127.0.0.1:8080 failed: port is already allocated (by container cccccccccccc)';
    const other = { ...owner, containerId: 'd', name: 'db', endpointId: 'e2' };
    await assert.rejects(ports.reserve([ask(8080, { hostIp: '127.0.0.1' })], other), {
      kind: 'conflict',
      message: expected,
    });
    await ports.reserve([ask(8080, { protocol: 'udp' })], other);
  });

  it('go side by side on different addresses', async () => {
    const ports = table();
    await ports.reserve([ask(8080, { hostIp: '127.0.0.1' })], owner);
    await ports.reserve([ask(8080, { hostIp: '127.0.0.2' })], owner);
    await assert.rejects(ports.reserve([ask(8080)], owner), { kind: 'conflict' });
  });

  it('are refused when a process has them, and the process is named', async (t) => {
    const server = createServer();
    t.after(() => server.close());
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const real = new PortTable({ hostBinding: '0.0.0.0', ipv6: false });
    const failed = real.reserve([ask(port, { hostIp: '127.0.0.1' })], owner);
    await assert.rejects(failed, (thrown: Error) => {
      const text = `failed to bind host port for 127.0.0.1:${port}:10.0.0.2:80/tcp: address already in use (held by `;
      assert.ok(thrown.message.includes(text), thrown.message);
      assert.ok(thrown.message.includes(`pid ${process.pid})`), thrown.message);
      return true;
    });
    await assert.rejects(
      real.reserve([ask(9, { hostIp: '203.0.113.9' })], owner),
      /cannot assign requested address/,
    );
  });

  it('are really held, and given back', async () => {
    const real = new PortTable({ hostBinding: '127.0.0.1', ipv6: false });
    for (const protocol of ['tcp', 'udp'] as const) {
      const [port] = await real.reserve([ask(0, { protocol })], owner);
      const other = new PortTable({ hostBinding: '127.0.0.1', ipv6: false });
      await assert.rejects(
        other.reserve([ask(port!.hostPort, { protocol })], owner),
        /address already in use/,
      );
      real.release([port!]);
      const again = await other.reserve([ask(port!.hostPort, { protocol })], owner);
      other.release(again);
    }
  });

  it('take the first free one of a range, and go round among the free', async () => {
    const ports = table();
    const range = ask(9000, { hostPortEnd: 9001, hostIp: '127.0.0.1' });
    assert.equal((await ports.reserve([range], owner))[0]?.hostPort, 9000);
    assert.equal((await ports.reserve([range], owner))[0]?.hostPort, 9001);
    await assert.rejects(ports.reserve([range], owner), { kind: 'conflict' });
    const free = async () => (await ports.reserve([ask(0)], owner))[0]!;
    const first = await free();
    assert.equal(first.hostPort, 40000);
    ports.release([first]);
    assert.equal((await free()).hostPort, 40001, 'not the one that was just given back');
    await free();
    await free();
    await free();
    await assert.rejects(free(), { kind: 'exhausted' });
  });

  it('are all given back when one of them fails, and refuse IPv6 addresses clearly', async () => {
    const ports = table();
    const mixed = [ask(7000), ask(7001, { hostIp: '::1' })];
    await assert.rejects(ports.reserve(mixed, owner), { kind: 'not-implemented' });
    await assert.rejects(ports.reserve([ask(1, { hostIp: 'nonsense' })], owner), { kind: 'invalid' });
    await ports.reserve([ask(7000)], owner);
  });

  it('come back after a restart, and name what is lost', async () => {
    const taken = table({
      hold: () => Promise.reject(Object.assign(new Error('x'), { code: 'EADDRINUSE' })),
    });
    const mapping = { protocol: 'tcp' as const, containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080 };
    assert.deepEqual(await taken.restore([mapping], owner), [
      '0.0.0.0:8080/tcp could not be held: EADDRINUSE',
    ]);
    assert.deepEqual(await taken.restore([mapping], owner), [], 'a second time is nothing');
  });
});
