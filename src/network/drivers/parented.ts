import { WharfError } from '../../base/index.ts';
import type { NetworkKernel, ParentedPlan } from '../kernel.ts';
import { macFrom } from '../mac.ts';
import type { EndpointRecord, NetworkRecord } from '../types.ts';
import { cidrsOf, isIpv6Text } from './bridge.ts';
import { interfaceSysctls, mtuOf } from './options.ts';
import type { EndpointNames, NetworkDriver } from './types.ts';

const MACVLAN_MODES = ['bridge', 'vepa', 'passthru', 'private'];
const IPVLAN_MODES = ['l2', 'l3', 'l3s'];
const IPVLAN_FLAGS = ['bridge', 'private', 'vepa'];

/** `macvlan`: interfaces with addresses of their own on a link of the host's. */
export function macvlanDriver(kernel: NetworkKernel): NetworkDriver {
  return new ParentedDriver(kernel, 'macvlan', (network) => ({
    mode: choice(network, 'macvlan', 'macvlan mode', 'macvlan_mode', MACVLAN_MODES, "'bridge' mode"),
  }));
}

/** `ipvlan`: interfaces that share the hardware address of a link of the host's. */
export function ipvlanDriver(kernel: NetworkKernel): NetworkDriver {
  return new ParentedDriver(kernel, 'ipvlan', (network) => ({
    mode: choice(network, 'ipvlan', 'ipvlan mode', 'ipvlan_mode', IPVLAN_MODES, "'l2' mode"),
    flag: choice(network, 'ipvlan', 'ipvlan flag', 'ipvlan_flag', IPVLAN_FLAGS, "'bridge'"),
  }));
}

/** The link of the host that the network is on: the one given, or one of its own that leads nowhere. */
export function parentOf(network: Pick<NetworkRecord, 'id' | 'driver' | 'options'>): string {
  const prefix = network.driver === 'ipvlan' ? 'di' : 'dm';
  return network.options['parent'] || `${prefix}-${network.id.slice(0, 12)}`;
}

/** True when packets of an ipvlan find their way without neighbours, and so without a gateway. */
export function isLayer3(network: Pick<NetworkRecord, 'driver' | 'options'>): boolean {
  return network.driver === 'ipvlan' && /^l3/.test(network.options['ipvlan_mode'] ?? '');
}

/** What a network's options ask of its interfaces. */
type ReadMode = (network: NetworkRecord) => Pick<ParentedPlan, 'mode' | 'flag'>;

/** Interfaces that a parent on the host carries: nothing of them is seen on the host. */
class ParentedDriver implements NetworkDriver {
  private readonly kernel: NetworkKernel;
  private readonly kind: ParentedPlan['kind'];
  private readonly read: ReadMode;

  constructor(kernel: NetworkKernel, kind: ParentedPlan['kind'], read: ReadMode) {
    this.kernel = kernel;
    this.kind = kind;
    this.read = read;
  }

  complete(network: NetworkRecord): NetworkRecord {
    this.read(network);
    mtuOf(network.options);
    if (network.options['parent'] === 'lo')
      throw new WharfError('invalid', `loopback interface is not a valid ${this.kind} parent link`);
    return network;
  }

  link(network: NetworkRecord): string {
    return parentOf(network);
  }

  ensure(network: NetworkRecord): void {
    this.kernel.checkKind(this.kind);
    ensureParent(this.kernel, network);
  }

  remove(network: NetworkRecord): void {
    if (!network.foreignLink && isOwnKind(network)) this.kernel.deleteLink(parentOf(network));
  }

  problems(network: NetworkRecord): string[] {
    const parent = parentOf(network);
    return this.kernel.hasLink(parent) ? [] : [`parent ${parent} of network ${network.name} is missing`];
  }

  plan(_network: NetworkRecord, _sandboxId: string, endpointId: string, ipv4: string): EndpointNames {
    // An ipvlan has the hardware address of its parent.
    return { hostInterface: '', macAddress: this.kind === 'macvlan' ? macFrom(ipv4, endpointId) : '' };
  }

  attach(network: NetworkRecord, endpoint: EndpointRecord, pin: string): void {
    const cidrs = cidrsOf(endpoint);
    this.kernel.plugParented({
      pin,
      kind: this.kind,
      ...this.read(network),
      interfaceName: endpoint.interfaceName,
      parent: parentOf(network),
      mac: endpoint.macAddress,
      mtu: mtuOf(network.options),
      cidrs,
      ipv6: cidrs.some(isIpv6Text),
      sysctls: interfaceSysctls(endpoint),
    });
  }

  detach(_network: NetworkRecord, { interfaceName }: EndpointRecord, pin: string): void {
    this.kernel.namespaces.unplug(pin, interfaceName);
  }

  restore(): string[] {
    return [];
  }

  gone(): boolean {
    return true;
  }
}

/** True when the parent is one that `ensure` makes where it is missing: a VLAN, or a link that leads nowhere. */
function isOwnKind(network: NetworkRecord): boolean {
  const { parent } = network.options;
  return !parent || vlanOf(parent) !== undefined;
}

/**
 * Without a parent the network is on a link that leads nowhere. `eth0.10` is made on `eth0`. Errors: the Engine's texts.
 */
function ensureParent(kernel: NetworkKernel, network: NetworkRecord): void {
  const { parent } = network.options;
  const name = parentOf(network);
  if (!parent) {
    kernel.ensureDummy(name);
    return;
  }
  if (kernel.hasLink(parent)) return;
  const vlan = vlanOf(parent);
  if (!vlan) {
    const text = `invalid subinterface vlan name ${parent}, example formatting is eth0.10`;
    throw new WharfError('invalid', text);
  }
  if (!/^\d+$/.test(vlan.id)) {
    throw new WharfError(
      'invalid',
      `unable to parse a valid vlan id from: ${vlan.id} (ex. eth0.10 for vlan 10)`,
    );
  }
  const id = Number(vlan.id);
  if (id < 1 || id > 4094)
    throw new WharfError('invalid', `vlan id must be between 1-4094, received: ${vlan.id}`);
  if (!kernel.hasLink(vlan.parent))
    throw new WharfError('invalid', `-o parent interface was not found on the host: ${vlan.parent}`);
  kernel.ensureVlan({ name: parent, parent: vlan.parent, id });
}

/** `eth0.10` → eth0 and 10. */
function vlanOf(name: string): { parent: string; id: string } | undefined {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? { parent: name.slice(0, dot), id: name.slice(dot + 1) } : undefined;
}

function choice(
  network: NetworkRecord,
  kind: string,
  what: string,
  option: string,
  allowed: readonly string[],
  normal: string,
): string {
  const text = network.options[option] || (allowed[0] as string);
  if (allowed.includes(text)) return text;
  throw new WharfError(
    'invalid',
    `requested ${what} '${text}' is not valid, ${normal} is the ${kind} driver default`,
  );
}
