import { WharfError } from '../base/index.ts';
import type {
  BridgePlan,
  DefaultRoute,
  InterfacePlan,
  NamespaceKernel,
  NetworkKernel,
  NftObject,
  ParentedPlan,
  RuleKernel,
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
  /** Kinds of interfaces that this kernel lacks. */
  readonly lacking = new Set<ParentedPlan['kind']>();
  readonly namespaces: NamespaceKernel = new FakeNamespaces(this);
  readonly rules: RuleKernel = {
    nft: (script) => {
      this.fail('nft');
      this.scripts.push(script);
    },
    nftObjects: (command) =>
      command === 'list chains' || command.startsWith('list table ip foreign') ? this.foreign : undefined,
  };
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

  addressesOf(name: string): string[] {
    return this.hostLinks.get(name)?.cidrs ?? [];
  }

  removeAddresses(name: string, cidrs: readonly string[]): void {
    this.fail('removeAddresses');
    const link = this.hostLinks.get(name);
    if (link) link.cidrs = link.cidrs.filter((cidr) => !cidrs.includes(cidr));
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

  checkKind(kind: ParentedPlan['kind']): void {
    if (this.lacking.has(kind)) throw new WharfError('not-implemented', `this kernel has no ${kind}`);
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

  watchRoutes(changed: () => void): Disposable {
    this.watchers.add(changed);
    return { [Symbol.dispose]: () => void this.watchers.delete(changed) };
  }

  /** Tells of a change, as the real one does by itself. */
  tell(): void {
    for (const changed of this.watchers) changed();
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

  /** Throws where the test wants that call to. */
  fail(call: string): void {
    if (this.failing === call) throw new WharfError('internal', `${call} was made to fail`);
  }
}

/** The namespaces of a fake kernel. */
class FakeNamespaces implements NamespaceKernel {
  private readonly host: FakeKernel;

  constructor(host: FakeKernel) {
    this.host = host;
  }

  create(pin: string): void {
    this.host.fail('create');
    if (this.host.pins.has(pin)) throw new WharfError('conflict', `${pin} is there`);
    this.host.pins.set(pin, { interfaces: new Map(), routes: new Map() });
  }

  pinHost(pin: string): void {
    this.host.pins.set(pin, { interfaces: new Map(), routes: new Map() });
  }

  drop(pin: string): void {
    for (const { hostInterface } of this.host.pins.get(pin)?.interfaces.values() ?? [])
      if (hostInterface) this.host.dying.add(hostInterface);
    this.host.pins.delete(pin);
  }

  isPinned(pin: string): boolean {
    return this.host.pins.has(pin);
  }

  unplug(pin: string, interfaceName: string): void {
    this.host.fail('unplug');
    this.host.namespace(pin).interfaces.delete(interfaceName);
  }

  interfaces(pin: string): Set<string> {
    return new Set(['lo', ...this.host.namespace(pin).interfaces.keys()]);
  }

  setDefaultRoute(pin: string, family: 4 | 6, route: DefaultRoute | undefined): void {
    this.host.fail('setDefaultRoute');
    const { interfaces, routes } = this.host.namespace(pin);
    if (route && !interfaces.has(route.dev)) throw new WharfError('not-found', `no interface ${route.dev}`);
    if (route) routes.set(family, route);
    else routes.delete(family);
  }

  setMac(pin: string, interfaceName: string, mac: string): void {
    const found = this.host.namespace(pin).interfaces.get(interfaceName);
    if (!found) throw new WharfError('not-found', `no interface ${interfaceName}`);
    found.mac = mac;
  }

  counters(_pin: string, names: readonly string[]): Record<string, InterfaceCounters> {
    const zero = { rxBytes: 0, rxPackets: 0, rxErrors: 0, rxDropped: 0 };
    const counters = { ...zero, txBytes: 0, txPackets: 0, txErrors: 0, txDropped: 0 };
    return Object.fromEntries(names.map((name) => [name, counters]));
  }
}
