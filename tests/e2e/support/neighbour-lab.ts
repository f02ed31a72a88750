import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { execute } from './command.ts';
import { guard } from './guardian.ts';

/** Two network namespaces with a cable: a host of its own, free of this machine's firewall, and a neighbour. */
export class NeighbourLab {
  readonly #id = randomBytes(3).toString('hex');
  readonly #releases: (() => void)[] = [];
  /** Name of the host's namespace (below /run/netns). */
  readonly host = `wh-${this.#id}`;
  /** Name of the neighbour's namespace. */
  readonly neighbour = `wn-${this.#id}`;
  readonly hostAddress = '192.0.2.1';
  readonly neighbourAddress = '192.0.2.2';

  async build(): Promise<void> {
    for (const name of [this.host, this.neighbour]) {
      this.#releases.push(guard({ kind: 'netns', name }));
      await this.#ip('netns', 'add', name);
      await this.#ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    const peer = ['peer', 'name', 'eth0', 'netns', this.neighbour];
    await this.#ip('-n', this.host, 'link', 'add', 'eth0', 'type', 'veth', ...peer);
    await this.#address(this.host, this.hostAddress);
    await this.#address(this.neighbour, this.neighbourAddress);
    await this.#ip('-n', this.host, 'route', 'add', 'default', 'via', this.neighbourAddress);
  }

  /** Gives the neighbour one more address of the cable's subnet. */
  addNeighbourAddress(address: string): Promise<void> {
    return this.#ip('-n', this.neighbour, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
  }

  async #address(name: string, address: string): Promise<void> {
    await this.#ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    await this.#ip('-n', name, 'link', 'set', 'eth0', 'up');
  }

  /** What the neighbour hears from a port of the host, or of another address; empty when it is not answered. */
  async ask(port: number, address = this.hostAddress): Promise<string> {
    const client = ['busybox', 'nc', '-w', '2', address, String(port)];
    return (await execute('ip', ['netns', 'exec', this.neighbour, ...client])).stdout;
  }

  /** Leads the neighbour's packets for a subnet to the host. */
  route(subnet: string): Promise<void> {
    return this.#ip('-n', this.neighbour, 'route', 'add', subnet, 'via', this.hostAddress);
  }

  async remove(): Promise<void> {
    for (const name of [this.host, this.neighbour]) await execute('ip', ['netns', 'delete', name]);
    for (const release of this.#releases.splice(0)) release();
  }

  async #ip(...args: string[]): Promise<void> {
    const { code, stderr } = await execute('ip', args);
    assert.equal(code, 0, `ip ${args.join(' ')}: ${stderr}`);
  }
}
