import type { NetworkConfig } from '../config.ts';
import type { BridgeRules, FamilyRules } from '../firewall/types.ts';
import type { BridgePlan, NetworkKernel } from '../kernel.ts';
import { macFrom } from '../mac.ts';
import type { AddressPoolRecord, NetworkRecord } from '../types.ts';
import { type BridgeOptions, bridgeOptions, checkInterfaceName, interfaceSysctls } from './options.ts';
import type { NetworkDriver } from './types.ts';

/** `bridge`: a veth pair an endpoint, the host ends on one Linux bridge a network. */
export function bridgeDriver(
  kernel: NetworkKernel,
  config: Pick<NetworkConfig, 'mtu' | 'publishPolicy' | 'hostBinding'>,
): NetworkDriver {
  const read = (network: NetworkRecord) => bridgeOptions(network, config);
  return {
    complete(network) {
      checkInterfaceName(read(network).bridge);
      return network;
    },
    link: (network) => read(network).bridge,
    ensure: (network) => kernel.ensureBridge(bridgePlan(network, read(network))),
    remove(network) {
      const { name, cidrs } = bridgePlan(network, read(network));
      const { foreignLink, foreignAddresses = [] } = network;
      if (!foreignLink) kernel.deleteLink(name);
      else
        kernel.removeAddresses(
          name,
          cidrs.filter((cidr) => !foreignAddresses.includes(cidr)),
        );
    },
    problems: (network) => kernel.bridgeProblems(bridgePlan(network, read(network))),
    plan(_network, _sandboxId, endpointId, ipv4) {
      return { hostInterface: `wv${endpointId.slice(0, 8)}`, macAddress: macFrom(ipv4, endpointId) };
    },
    attach(network, endpoint, pin) {
      const { bridge, mtu, icc } = read(network);
      const cidrs = cidrsOf(endpoint);
      kernel.plug({
        pin,
        interfaceName: endpoint.interfaceName,
        hostInterface: endpoint.hostInterface,
        bridge,
        mac: endpoint.macAddress,
        cidrs,
        mtu,
        ipv6: cidrs.some((cidr) => cidr.includes(':')),
        isolated: !icc,
        sysctls: interfaceSysctls(endpoint),
      });
    },
    detach: (_network, { hostInterface }) => kernel.deleteLink(hostInterface),
    restore(network, { hostInterface }) {
      const { bridge, icc } = read(network);
      if (!kernel.hasLink(hostInterface)) return [`link ${hostInterface} is gone`];
      if (!kernel.isPort(hostInterface, bridge)) kernel.attach(hostInterface, bridge, !icc);
      return [];
    },
    gone: (hostInterface) => !kernel.hasLink(hostInterface),
  };
}

/** An endpoint's addresses with their prefix lengths. */
export function cidrsOf(endpoint: {
  ipv4: string;
  ipv4PrefixLen: number;
  ipv6?: string;
  ipv6PrefixLen?: number;
  linkLocal?: string[];
}): string[] {
  const { ipv4, ipv4PrefixLen, ipv6, ipv6PrefixLen, linkLocal = [] } = endpoint;
  return [
    ...(ipv4 ? [`${ipv4}/${ipv4PrefixLen}`] : []),
    ...(ipv6 ? [`${ipv6}/${ipv6PrefixLen}`] : []),
    ...linkLocal,
  ];
}

/** True when the address or CIDR is of IPv6. */
export function isIpv6Text(text: string): boolean {
  return text.includes(':');
}

/** A pool's gateway with the prefix length: the address of the bridge. */
export function gatewayCidr(pool: Pick<AddressPoolRecord, 'subnet' | 'gateway'>): string {
  return `${pool.gateway}/${pool.subnet.split('/')[1]}`;
}

function bridgePlan(network: NetworkRecord, options: BridgeOptions): BridgePlan {
  const { bridge, mtu, mode4, mode6, inhibitIpv4 } = options;
  const bare4 = inhibitIpv4 || mode4 === 'isolated';
  const bare6 = mode6 === 'isolated';
  const own = ({ subnet, gateway }: AddressPoolRecord) =>
    gateway !== '' && !(isIpv6Text(subnet) ? bare6 : bare4);
  return {
    name: bridge,
    mtu,
    cidrs: network.pools.filter(own).map(gatewayCidr),
    ipv6: network.enableIPv6 && !bare6,
    foreign: network.foreignLink === true,
  };
}

/** What the firewall is told of a bridge network. */
export function bridgeRules(network: NetworkRecord, options: BridgeOptions): BridgeRules {
  const subnets = (ipv6: boolean) =>
    network.pools.map(({ subnet }) => subnet).filter((subnet) => isIpv6Text(subnet) === ipv6);
  const family = (ipv6: boolean): FamilyRules => {
    const mode = ipv6 ? options.mode6 : options.mode4;
    const masquerade = options.masquerade && mode.startsWith('nat') && !network.internal;
    return { subnets: subnets(ipv6), mode, masquerade };
  };
  return {
    bridge: options.bridge,
    internal: network.internal,
    ...(options.icc ? {} : { icc: false }),
    trustedInterfaces: options.trustedInterfaces,
    ...(network.enableIPv4 ? { ipv4: family(false) } : {}),
    ...(network.enableIPv6 ? { ipv6: family(true) } : {}),
  };
}
