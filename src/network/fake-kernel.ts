import { WharfError } from '../base/index.ts';
import type {
  BridgePlan,
  DefaultRoute,
  InterfacePlan,
  NetworkKernel,
  NftObject,
  ParentedPlan,
  VethPlan,
} from './kernel.ts';
import type { InterfaceCounters } from './types.ts';

/** A namespace of the fake kernel. */
export interface FakeNamespace {
  /** By name, with the host's end of pairs. */
  interfaces: Map<string, InterfacePlan & { hostInterface?: string; parent?: string }>;
  routes: Map<4 | 6, DefaultRoute>;
}

/** A link of the fake host. */
interface FakeLink {
  kind: string;
  up: boolean;
  bridge?: string;
  cidrs: string[];
}

/** A kernel in memory for tests of what stands above it. It checks that calls come in an order the real one would take. */
export class FakeKernel implements NetworkKernel {
  readonly hostLinks = new Map<string, FakeLink>();
  readonly pins = new Map<string, FakeNamespace>();
  readonly scripts: string[] = [];
  readonly ranges: string[] = [];
  /** Foreign rulesets, as `nft -j list chains` and `list table` would show them. */
  foreign: NftObject[] = [];
  /** Links whose namespace is dropped stay until the next `reap`, as in the real one. */
  readonly dying = new Set<string>();
  forwarding = new Set<4 | 6>([4, 6]);
  /** Throws from the call of that name. */
  failing = '';
  private readonly watchers = new Set<() => void>();

  occupiedRanges(): string[] {
    return this.ranges;
  }

  ensureBridge({ name, cidrs, foreign }: BridgePlan): void {
    this.fail('ensureBridge');
    const link = this.hostLinks.get(name);
    if (link && link.kind !== 'bridge')
      throw new WharfError('conflict', `existing interface ${name} is not a bridge`);
    const kept = foreign ? (link?.cidrs ?? []) : [];
    this.hostLinks.set(name, { kind: 'bridge', up: true, cidrs: [...new Set([...kept, ...cidrs])] });
  }

  bridgeProblems({ name, cidrs }: BridgePlan): string[] {
    const link = this.hostLinks.get(name);
    if (!link) return [`bridge ${name} is missing`];
    const problems = link.up ? [] : [`bridge ${name} is down`];
    for (const cidr of cidrs)
      if (!link.cidrs.includes(cidr)) problems.push(`bridge ${name} lacks the address ${cidr}`);
    return problems;
  }

  ensureVlan({ name }: { name: string; parent: string; id: number }): void {
    this.fail('ensureVlan');
    this.addLink(name, 'vlan');
  }

  ensureDummy(name: string): void {
    this.fail('ensureDummy');
    this.addLink(name, 'dummy');
  }

  allowLoopback(bridge: string): void {
    if (!this.hostLinks.has(bridge)) throw new Error(`there is no ${bridge}`);
  }

  enableForwarding(family: 4 | 6): boolean {
    const was = this.forwarding.has(family);
    this.forwarding.add(family);
    return !was;
  }

  hasLink(name: string): boolean {
    return this.hostLinks.has(name);
  }

  isPort(link: string, bridge: string): boolean {
    return this.hostLinks.get(link)?.bridge === bridge && this.hostLinks.has(bridge);
  }

  links(): Map<string, { up: boolean; bridge?: string }> {
    return new Map(
      [...this.hostLinks].map(([name, { up, bridge }]) => [
        name,
        { up, ...(bridge !== undefined && this.hostLinks.has(bridge) ? { bridge } : {}) },
      ]),
    );
  }

  attach(link: string, bridge: string): void {
    const port = this.hostLinks.get(link);
    if (!port || !this.hostLinks.has(bridge)) throw new WharfError('not-found', `no ${link} or no ${bridge}`);
    port.bridge = bridge;
  }

  /** A link of the host's own, or of an outsider. */
  addLink(name: string, kind: string, bridge?: string): void {
    this.hostLinks.set(name, { kind, up: true, cidrs: [], ...(bridge === undefined ? {} : { bridge }) });
  }

  deleteLink(name: string): void {
    this.fail('deleteLink');
    this.hostLinks.delete(name);
    for (const { interfaces } of this.pins.values())
      for (const [inside, { hostInterface }] of interfaces)
        if (hostInterface === name) interfaces.delete(inside);
  }

  createNamespace(pin: string): void {
    this.fail('createNamespace');
    if (this.pins.has(pin)) throw new WharfError('conflict', `${pin} is there`);
    this.pins.set(pin, { interfaces: new Map(), routes: new Map() });
  }

  pinHost(pin: string): void {
    this.pins.set(pin, { interfaces: new Map(), routes: new Map() });
  }

  dropNamespace(pin: string): void {
    for (const { hostInterface } of this.pins.get(pin)?.interfaces.values() ?? [])
      if (hostInterface) this.dying.add(hostInterface);
    this.pins.delete(pin);
  }

  isPinned(pin: string): boolean {
    return this.pins.has(pin);
  }

  plug(plan: VethPlan): void {
    this.fail('plug');
    this.insert(plan);
    if (!this.hostLinks.has(plan.bridge)) throw new WharfError('not-found', `no bridge ${plan.bridge}`);
    if (this.hostLinks.has(plan.hostInterface))
      throw new WharfError('conflict', `${plan.hostInterface} is there`);
    this.addLink(plan.hostInterface, 'veth', plan.bridge);
  }

  plugParented(plan: ParentedPlan): void {
    this.fail('plugParented');
    if (!this.hostLinks.has(plan.parent)) throw new WharfError('not-found', `no link ${plan.parent}`);
    this.insert(plan);
  }

  unplug(pin: string, interfaceName: string): void {
    this.fail('unplug');
    this.namespace(pin).interfaces.delete(interfaceName);
  }

  interfaces(pin: string): Set<string> {
    return new Set(['lo', ...this.namespace(pin).interfaces.keys()]);
  }

  setDefaultRoute(pin: string, family: 4 | 6, route: DefaultRoute | undefined): void {
    this.fail('setDefaultRoute');
    const { interfaces, routes } = this.namespace(pin);
    if (route && !interfaces.has(route.dev)) throw new WharfError('not-found', `no interface ${route.dev}`);
    if (route) routes.set(family, route);
    else routes.delete(family);
  }

  setMac(pin: string, interfaceName: string, mac: string): void {
    const found = this.namespace(pin).interfaces.get(interfaceName);
    if (!found) throw new WharfError('not-found', `no interface ${interfaceName}`);
    found.mac = mac;
  }

  counters(_pin: string, names: readonly string[]): Record<string, InterfaceCounters> {
    const zero = { rxBytes: 0, rxPackets: 0, rxErrors: 0, rxDropped: 0 };
    const counters = { ...zero, txBytes: 0, txPackets: 0, txErrors: 0, txDropped: 0 };
    return Object.fromEntries(names.map((name) => [name, counters]));
  }

  watchRoutes(changed: () => void): Disposable {
    this.watchers.add(changed);
    return { [Symbol.dispose]: () => void this.watchers.delete(changed) };
  }

  /** Tells of a change, as the real one does by itself. */
  tell(): void {
    for (const changed of this.watchers) changed();
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
    for (const link of this.dying) this.hostLinks.delete(link);
    this.dying.clear();
  }

  /** The namespace pinned at a path; throws when there is none. */
  namespace(pin: string): FakeNamespace {
    const found = this.pins.get(pin);
    if (!found) throw new WharfError('not-found', `nothing is pinned at ${pin}`);
    return found;
  }

  private insert(plan: InterfacePlan & { hostInterface?: string; parent?: string }): void {
    const { interfaces } = this.namespace(plan.pin);
    if (interfaces.has(plan.interfaceName))
      throw new WharfError('conflict', `${plan.interfaceName} is there: file exists`);
    interfaces.set(plan.interfaceName, { ...plan });
  }

  private fail(call: string): void {
    if (this.failing === call) throw new WharfError('internal', `${call} was made to fail`);
  }
}
