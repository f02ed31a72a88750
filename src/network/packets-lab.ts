import { execFile, execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { createNetns, RouteSocket, withNetns } from '../sys/index.ts';

const servers: Server[] = [];

/**
 * A neighbour on the host's LAN, in a namespace of its own: 192.0.2.9 and 2001:db8::9, the host is 192.0.2.1 and
 * 2001:db8::1 on `lan0`. Its routes send everything to the host.
 */
export function makeLan(pin: string): void {
  createNetns(pin);
  using lan = RouteSocket.open(pin);
  execFileSync('ip', ['link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pin]);
  using host = RouteSocket.open();
  host.setUp('lo');
  for (const [route, link, last] of [
    [host, 'lan0', 1],
    [lan, 'eth0', 9],
  ] as const) {
    if (route === host) execFileSync('sysctl', ['-qw', 'net.ipv6.conf.lan0.accept_dad=0']);
    else execFileSync('nsenter', [`--net=${pin}`, 'sysctl', '-qw', 'net.ipv6.conf.eth0.accept_dad=0']);
    route.addAddress(link, `192.0.2.${last}/24`);
    route.addAddress(link, `2001:db8::${last}/64`);
    route.setUp(link);
  }
  lan.addRoute({ gateway: '192.0.2.1' });
  lan.addRoute({ gateway: '2001:db8::1', dev: 'eth0' });
}

/** A server inside a namespace that answers with a name and the address it sees. */
export function serve(pin: string, port: number, name: string): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${name} ${socket.remoteAddress?.replace('::ffff:', '')}\n`);
  });
  servers.push(server);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('listening', resolve).once('error', reject);
  // Without a host name Node binds at once, still in the namespace, to both families.
  withNetns(pin, () => server.listen(port));
  return promise;
}

/** Ends all servers. */
export function stopServing(): void {
  for (const server of servers.splice(0)) server.close();
}

/** What a TCP client in a namespace reads; empty when it gets no connection. Without a pin it is on the host. */
export function fetchFrom(pin: string | undefined, ip: string, port: number): Promise<string> {
  const client = ['busybox', 'timeout', '1', 'busybox', 'nc', '-w', '1', ip, String(port)];
  const argv = pin ? ['nsenter', `--net=${pin}`, ...client] : client;
  return new Promise((resolve) => {
    const child = execFile(argv[0]!, argv.slice(1), (_error, stdout) => resolve(stdout.trim()));
    child.stdin?.end();
  });
}
