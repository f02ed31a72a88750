import { contains, parseAddress, parseRange } from '../addresses/address.ts';
import type { EndpointRecord, NetworkRecord, SandboxRecord } from '../types.ts';
import { reversedAddress, reverseName } from './reverse.ts';

/** What is known of a name: its addresses of one family. None means that the name exists without that family. */
export type Addresses = readonly string[];

/** The family of addresses that is asked for. */
export type Family = 4 | 6;

interface Member {
  containerId: string;
  endpoint: EndpointRecord;
}

/** The members of one network by what they are found by. */
interface Members {
  byName: Map<string, Set<Member>>;
  /** By the name that stands for the address backwards. */
  byReverse: Map<string, Member>;
  byContainer: Map<string, Member>;
}

/** All names of all networks of users, and who sees which. `version` changes with every change. */
export class NameTable {
  version = 0;
  private readonly network: (id: string) => NetworkRecord | undefined;
  private readonly sandboxes = new Map<string, SandboxRecord>();
  private readonly networks = new Map<string, Members>();

  constructor(network: (id: string) => NetworkRecord | undefined) {
    this.network = network;
  }

  update(sandbox: SandboxRecord): void {
    this.remove(sandbox.sandboxId);
    // A copy, because the caller may go on to change its record, and what was entered must be found again.
    const kept = structuredClone(sandbox);
    this.sandboxes.set(kept.sandboxId, kept);
    for (const endpoint of kept.endpoints) {
      if (namesAreServed(this.network(endpoint.networkId)))
        enter(this.membersOf(endpoint.networkId), { containerId: kept.containerId, endpoint });
    }
  }

  remove(sandboxId: string): void {
    this.version += 1;
    const sandbox = this.sandboxes.get(sandboxId);
    this.sandboxes.delete(sandboxId);
    for (const endpoint of sandbox?.endpoints ?? []) {
      const members = this.networks.get(endpoint.networkId);
      if (!members || !sandbox) continue;
      leave(members, sandbox.containerId, endpoint);
      if (members.byContainer.size === 0) this.networks.delete(endpoint.networkId);
    }
  }

  /**
   * The addresses of `name` as `sandboxId` sees it, or undefined when it sees none of that name: its links first, then the
   * names of its networks, of each network alone, in the order of their priority; `name.network` asks one network only.
   */
  addresses(sandboxId: string, name: string, family: Family): Addresses | undefined {
    const endpoints = this.endpointsOf(sandboxId);
    const asked = [
      ...endpoints.map((endpoint) => ({ endpoint, name })),
      ...endpoints.flatMap((endpoint) => inNetwork(endpoint, name)),
    ];
    const found: Addresses[] = [];
    for (const find of [linkedMembers, namedMembers])
      for (const { endpoint, name } of asked) {
        const members = this.networks.get(endpoint.networkId);
        const those = members && find(members, endpoint, name);
        if (those) found.push(those.flatMap((member) => addressOf(member.endpoint, family) ?? []));
      }
    return found.find(({ length }) => length > 0) ?? found[0];
  }

  /** `name.network` of whoever has the address on a network of `sandboxId`; `name` is what stands for the address backwards. */
  reverse(sandboxId: string, name: string): string | undefined {
    for (const { networkId } of this.endpointsOf(sandboxId)) {
      const endpoint = this.networks.get(networkId)?.byReverse.get(name)?.endpoint;
      if (endpoint) return `${endpoint.dnsNames![0]}.${endpoint.networkName}`;
    }
    return undefined;
  }

  /**
   * True when `name` stands for an address of a bridge that the asker is on: nobody else can know whose it is. Other
   * drivers' networks are a part of a larger one, which has name servers of its own.
   */
  isOwnReverse(sandboxId: string, name: string): boolean {
    const address = reversedAddress(name);
    if (address === undefined) return false;
    return this.endpointsOf(sandboxId).some(({ networkId }) => {
      const network = this.network(networkId);
      return (
        network?.driver === 'bridge' &&
        network.pools.some(({ subnet }) => contains(parseRange(subnet), parseAddress(address)))
      );
    });
  }

  /** The asker's networks in the order in which they are asked. */
  private endpointsOf(sandboxId: string): EndpointRecord[] {
    const endpoints = this.sandboxes.get(sandboxId)?.endpoints ?? [];
    return [...endpoints].sort(
      (a, b) => (b.gwPriority ?? 0) - (a.gwPriority ?? 0) || (a.networkName < b.networkName ? -1 : 1),
    );
  }

  private membersOf(networkId: string): Members {
    const there = this.networks.get(networkId);
    if (there) return there;
    const made: Members = { byName: new Map(), byReverse: new Map(), byContainer: new Map() };
    this.networks.set(networkId, made);
    return made;
  }
}

/** True for networks of users, the only ones with names: not for the default bridge, `host` and `none`. */
export function namesAreServed(network: NetworkRecord | undefined): boolean {
  return network !== undefined && !['host', 'null'].includes(network.driver) && network.name !== 'bridge';
}

/** A name as questions have it: octets as latin1, lower case. */
function asAsked(name: string): string {
  return Buffer.from(name, 'utf8').toString('latin1').toLowerCase();
}

function inNetwork(endpoint: EndpointRecord, name: string): { endpoint: EndpointRecord; name: string }[] {
  const suffix = `.${asAsked(endpoint.networkName)}`;
  return name.endsWith(suffix) ? [{ endpoint, name: name.slice(0, -suffix.length) }] : [];
}

function namedMembers(members: Members, _asker: EndpointRecord, name: string): Member[] | undefined {
  const named = members.byName.get(name);
  return named && [...named];
}

function linkedMembers(members: Members, asker: EndpointRecord, name: string): Member[] | undefined {
  const link = asker.links?.find(({ alias }) => asAsked(alias) === name);
  if (!link) return undefined;
  const member = members.byContainer.get(link.containerId ?? '');
  return member ? [member] : namedMembers(members, asker, asAsked(link.name ?? ''));
}

function addressOf({ ipv4, ipv6 }: EndpointRecord, family: Family): string | undefined {
  return (family === 4 ? ipv4 : ipv6) || undefined;
}

function reverseNames({ ipv4, ipv6 }: EndpointRecord): string[] {
  return [ipv4, ipv6].flatMap((ip) => (ip ? reverseName(ip) : []));
}

function enter(members: Members, member: Member): void {
  const { endpoint, containerId } = member;
  members.byContainer.set(containerId, member);
  for (const name of new Set(endpoint.dnsNames?.map(asAsked))) {
    const named = members.byName.get(name);
    if (named) named.add(member);
    else members.byName.set(name, new Set([member]));
  }
  if (endpoint.dnsNames?.[0]) for (const name of reverseNames(endpoint)) members.byReverse.set(name, member);
}

function leave(members: Members, containerId: string, endpoint: EndpointRecord): void {
  const member = members.byContainer.get(containerId);
  if (member?.endpoint !== endpoint) return;
  members.byContainer.delete(containerId);
  for (const name of new Set(endpoint.dnsNames?.map(asAsked))) {
    const named = members.byName.get(name);
    named?.delete(member);
    if (named?.size === 0) members.byName.delete(name);
  }
  for (const name of reverseNames(endpoint))
    if (members.byReverse.get(name) === member) members.byReverse.delete(name);
}
