import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { silentLog } from '../../base/index.ts';
import { type Fd, openSocket, socketName } from '../../sys/index.ts';
import { holderOf } from './holder.ts';
import { openPorts } from './ports.ts';

const me = ' (held by ';
const ours = new RegExp(`^ \\(held by .+, pid ${process.pid}\\)$`);
const tcp = (hostIp: string, hostPort: number) => holderOf({ protocol: 'tcp', hostIp, hostPort });

function listening(ip: string, v6only = true): { socket: Fd; port: number } {
  const family = ip.includes(':') ? 6 : 4;
  const only = family === 6 ? { v6only } : {};
  const socket = openSocket({ family, type: 'stream', bind: { ip, port: 0 }, listen: 1, ...only });
  return { socket, port: socketName(socket).port };
}

describe('the holder of a port', () => {
  it('is found on its own address, and where one of them is all', () => {
    for (const [bound, found, not] of [
      ['127.0.0.5', ['127.0.0.5', '0.0.0.0'], ['127.0.0.6', '::', '::1']],
      ['0.0.0.0', ['127.0.0.5', '0.0.0.0'], ['::', '::1']],
      ['::1', ['::1', '::'], ['127.0.0.1', '2001:db8::1']],
      ['::', ['::1', '::', '2001:db8::1:2'], []],
      ['::ffff:127.0.0.5', ['127.0.0.5', '0.0.0.0'], ['127.0.0.6', '::1']],
    ] as const) {
      const { socket, port } = listening(bound, bound !== '::ffff:127.0.0.5');
      using _closed = socket;
      for (const ip of found) assert.match(tcp(ip, port), ours, `${bound} for ${ip}`);
      for (const ip of not) assert.equal(tcp(ip, port), '', `${bound} for ${ip}`);
    }
  });

  it('of UDP is found, of a free port and of SCTP there is none', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    assert.match(holderOf({ protocol: 'udp', hostIp: '0.0.0.0', hostPort: port }), ours);
    assert.equal(tcp('0.0.0.0', port), '');
    assert.equal(holderOf({ protocol: 'sctp', hostIp: '0.0.0.0', hostPort: port }), '');
    socket.close();
  });

  it('is named when a container wants the port', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const ports = openPorts({ log: silentLog, obeyTable: 'wharf-test-holder' });
    const owner = {
      containerId: 'c',
      name: 'web',
      endpointId: 'e',
      ipv4: '10.0.0.2',
      ipv6: '',
      policy: 'open' as const,
      hostBinding: '',
      netnsPath: '/n',
    };
    const request = { protocol: 'tcp' as const, containerPort: 80, hostIp: '', hostPort: port };
    await assert.rejects(ports.reserve([request], owner), (thrown: Error) => {
      const said = `failed to bind host port for 0.0.0.0:${port}:10.0.0.2:80/tcp: address already in use${me}`;
      assert.ok(thrown.message.includes(said), thrown.message);
      return true;
    });
    const nowhere = { ...request, hostIp: '203.0.113.9' };
    await assert.rejects(
      ports.reserve([nowhere], owner),
      /203\.0\.113\.9:\d+:10\.0\.0\.2:80\/tcp: cannot assign requested address$/,
    );
  });
});
