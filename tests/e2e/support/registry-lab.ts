import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestAuthority, testAuthority } from '../../../src/registry/client/testing/certificates.ts';
import { withNetns } from '../../../src/sys/index.ts';
import { WHARF } from './clients.ts';
import { execute, type Outcome } from './command.ts';
import type { TestDaemon } from './daemon.ts';
import { NeighbourLab } from './neighbour-lab.ts';

/** Puts a hosts file and a folder of settings over those of this machine, in a mount namespace that nobody else sees. */
const IN_LAB = [
  'mount -t overlay -o "lowerdir=/etc,upperdir=$LAB/upper,workdir=$LAB/work" overlay /etc',
  'mount --bind "$LAB/hosts" /etc/hosts',
  'mount --bind "$LAB/wharf" /etc/wharf',
  'exec "$@"',
].join(' && ');

/**
 * A host of its own with registries on other machines: names resolve as the lab says, `/etc/wharf` is the lab's, and what
 * listens on the test's loopback is reached as `NAME:PORT` on a neighbour, where no rule for loopback applies.
 */
export class RegistryLab implements AsyncDisposable {
  readonly net = new NeighbourLab();
  readonly authority: TestAuthority = testAuthority();
  readonly #folder = mkdtempSync(join(tmpdir(), 'wharf-e2e-lab-'));
  readonly #addresses = new Map<string, string>();
  readonly #routes = new Map<string, number>();
  readonly #servers = new Map<number, Server>();
  readonly #sockets = new Set<Socket>();

  constructor() {
    for (const name of ['upper/wharf', 'work', 'wharf'])
      mkdirSync(join(this.#folder, name), { recursive: true });
    writeFileSync(join(this.#folder, 'hosts'), '127.0.0.1 localhost\n');
  }

  /** The command that starts a program in the lab. */
  launcher(env: Record<string, string> = {}): string[] {
    const set = Object.entries({ ...env, LAB: this.#folder }).map(([name, value]) => `${name}=${value}`);
    const spaces = ['nsenter', `--net=/run/netns/${this.net.host}`, 'unshare', '--mount'];
    return [...spaces, 'env', ...set, 'sh', '-c', IN_LAB, 'sh'];
  }

  /** Runs the project's client in the lab, where it reaches registries itself. */
  wharf(engine: TestDaemon, ...args: string[]): Promise<Outcome> {
    const [file = '', ...rest] = [...this.launcher(), WHARF, '-H', engine.host, ...args];
    return execute(file, rest, { env: engine.environment() });
  }

  /** The address that the neighbour has by a name. */
  async address(name: string): Promise<string> {
    const known = this.#addresses.get(name);
    if (known) return known;
    const address = `192.0.2.${11 + this.#addresses.size}`;
    this.#addresses.set(name, address);
    await this.net.addNeighbourAddress(address);
    appendFileSync(join(this.#folder, 'hosts'), `${address} ${name}\n`);
    return address;
  }

  /** Makes a port of the test's loopback reachable as `name:port`. */
  async route(name: string, port: number, target: number): Promise<void> {
    this.#routes.set(`${await this.address(name)}:${port}`, target);
    if (this.#servers.has(port)) return;
    const server = createServer((socket) => this.#pass(socket, port));
    this.#servers.set(port, server);
    // Without an address Node makes the socket at once, so that it belongs to the neighbour.
    withNetns(`/run/netns/${this.net.neighbour}`, () => server.listen(port));
  }

  #pass(socket: Socket, port: number): void {
    const target = this.#routes.get(`${socket.localAddress?.replace('::ffff:', '')}:${port}`);
    if (target === undefined) return void socket.destroy();
    const onward = connect(target, '127.0.0.1');
    for (const end of [socket, onward]) {
      this.#sockets.add(end);
      end.on('error', () => undefined);
      end.on('close', () => this.#sockets.delete(end));
    }
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  }

  /** Writes a file of `certs.d` for a registry: `ca.crt`, `client.cert`, `client.key`. */
  certificate(registry: string, file: string, text: string): void {
    mkdirSync(this.#certificates(registry), { recursive: true });
    writeFileSync(join(this.#certificates(registry), file), text);
  }

  forgetCertificates(registry: string): void {
    rmSync(this.#certificates(registry), { recursive: true, force: true });
  }

  #certificates(registry: string): string {
    return join(this.#folder, 'wharf/certs.d', registry);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.values()) server.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.net.remove();
    this.authority[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
