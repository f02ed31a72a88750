import { WharfError } from '../base/index.ts';
import type { Range } from './addresses/pools.ts';
import type { NetworkKernel, NftObject, PlugRequest } from './kernel.ts';
import type { InterfaceCounters } from './types.ts';

/** A kernel in memory for tests of what stands above it. It checks that calls come in an order the real one would take. */
export class FakeKernel implements NetworkKernel {
  /** Links by name with the bridge they are attached to. */
  readonly links = new Map<string, string>();
  readonly pins = new Map<string, string[]>();
  readonly scripts: string[] = [];
  readonly ranges: Range[] = [];
  /** Foreign rulesets, as `nft -j list chains` and `list table` would show them. */
  foreign: NftObject[] = [];
  /** Links whose namespace is dropped stay until the next `reap`, as in the real one. */
  readonly dying = new Set<string>();
  forwarding = true;
  /** Throws from the call of that name. */
  failing = '';

  occupiedRanges(): Range[] {
    return this.ranges;
  }

  ensureBridge({ name }: { name: string }): void {
    this.links.set(name, '');
  }

  bridgeProblems({ name }: { name: string }): string[] {
    return this.links.has(name) ? [] : [`bridge ${name} is missing`];
  }

  allowLoopback(): void {
    if (this.scripts.length === 0) throw new Error('loopback is opened before the rules stand');
  }

  enableForwarding(): boolean {
    return !this.forwarding;
  }

  hasLink(name: string): boolean {
    return this.links.has(name);
  }

  bridgePorts(bridge: string): Set<string> {
    return new Set([...this.links].filter(([, master]) => master === bridge).map(([name]) => name));
  }

  attach(link: string, bridge: string): void {
    this.links.set(link, bridge);
  }

  deleteLink(name: string): void {
    this.links.delete(name);
  }

  createNamespace(pin: string): void {
    this.fail('createNamespace');
    if (this.pins.has(pin)) throw new WharfError('conflict', `${pin} is there`);
    this.pins.set(pin, []);
  }

  pinHost(pin: string): void {
    this.pins.set(pin, []);
  }

  dropNamespace(pin: string): void {
    for (const link of this.pins.get(pin) ?? []) this.dying.add(link);
    this.pins.delete(pin);
  }

  isPinned(pin: string): boolean {
    return this.pins.has(pin);
  }

  plug({ pin, hostInterface, bridge }: PlugRequest): void {
    this.fail('plug');
    this.pins.get(pin)!.push(hostInterface);
    this.links.set(hostInterface, bridge);
  }

  setMac(_pin: string, _name: string, mac: string): void {
    if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac))
      throw new WharfError('invalid', `invalid MAC address ${mac}`);
  }

  counters(_pin: string, names: readonly string[]): Record<string, InterfaceCounters> {
    const zero = { rxBytes: 0, rxPackets: 0, rxErrors: 0, rxDropped: 0 };
    const counters = { ...zero, txBytes: 0, txPackets: 0, txErrors: 0, txDropped: 0 };
    return Object.fromEntries(names.map((name) => [name, counters]));
  }

  nft(script: string): void {
    this.fail('nft');
    this.scripts.push(script);
  }

  nftObjects(command: string): NftObject[] | undefined {
    if (command === 'list chains' || command.startsWith('list table ip foreign')) return this.foreign;
    return undefined;
  }

  [Symbol.dispose](): void {}

  /** The kernel takes the links of dropped namespaces away. */
  reap(): void {
    for (const link of this.dying) this.links.delete(link);
    this.dying.clear();
  }

  private fail(call: string): void {
    if (this.failing === call) throw new WharfError('internal', `${call} was made to fail`);
  }
}
