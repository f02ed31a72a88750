import { isIP } from 'node:net';
import { WharfError } from '../../base/index.ts';
import type { GatewayMode } from '../firewall/types.ts';
import type { PublishPolicy } from '../publish/types.ts';
import type { EndpointRecord, NetworkRecord, NetworkRequest } from '../types.ts';

const BRIDGE = 'com.docker.network.bridge.';
export const MTU = 'com.docker.network.driver.mtu';
const IFACE_PREFIX = 'com.docker.network.container_iface_prefix';
const POLICY = 'wharf.publish-policy';
export const IFNAME = 'com.docker.network.endpoint.ifname';
export const SYSCTLS = 'com.docker.network.endpoint.sysctls';

/** What the daemon's configuration says where a network's options say nothing. */
export interface OptionDefaults {
  mtu: number;
  publishPolicy: PublishPolicy;
  hostBinding: string;
}

/** The options of a `bridge` network, read and completed. */
export interface BridgeOptions {
  bridge: string;
  mtu: number;
  /** Containers reach each other. */
  icc: boolean;
  masquerade: boolean;
  /** Address for published ports without one. */
  hostBinding: string;
  mode4: GatewayMode;
  mode6: GatewayMode;
  /** The bridge gets no IPv4 address. */
  inhibitIpv4: boolean;
  trustedInterfaces: string[];
  policy: PublishPolicy;
}

/** Reads a bridge network's options; unknown ones are ignored. Errors: `invalid` with the Engine's texts. */
export function bridgeOptions(network: NetworkRecord, defaults: OptionDefaults): BridgeOptions {
  const { options } = network;
  return {
    bridge: options[`${BRIDGE}name`] || `wh-${network.id.slice(0, 12)}`,
    mtu: mtuOf(options) || defaults.mtu,
    icc: flag(options, `${BRIDGE}enable_icc`, true),
    masquerade: flag(options, `${BRIDGE}enable_ip_masquerade`, true),
    hostBinding: hostBinding(options) || defaults.hostBinding,
    mode4: gatewayMode(network, `${BRIDGE}gateway_mode_ipv4`),
    mode6: gatewayMode(network, `${BRIDGE}gateway_mode_ipv6`),
    inhibitIpv4: flag(options, `${BRIDGE}inhibit_ipv4`, false),
    trustedInterfaces: (options[`${BRIDGE}trusted_host_interfaces`] ?? '').split(':').filter(Boolean),
    policy: policyOf(options, defaults.publishPolicy),
  };
}

/** The MTU that a network's options ask for; 0 for none. Errors: `invalid`. */
export function mtuOf(options: Record<string, string>): number {
  const text = options[MTU];
  if (text === undefined || text === '') return 0;
  if (!/^[+-]?\d+$/.test(text))
    throw unreadable(MTU, text, `strconv.Atoi: parsing "${text}": invalid syntax`);
  const mtu = Number(text);
  if (mtu < 0) throw new WharfError('invalid', `invalid MTU number: ${text}`);
  if (mtu > 65535 || (mtu > 0 && mtu < 68)) throw new WharfError('invalid', 'invalid argument');
  return mtu;
}

/** Refuses what can't be the name of an interface, with the words of the kernel's errors. */
export function checkInterfaceName(name: string): void {
  if (Buffer.byteLength(name) > 15) throw new WharfError('invalid', 'numerical result out of range');
  if (name === '.' || name === '..' || /[\s/:%\0]/.test(name))
    throw new WharfError('invalid', 'invalid argument');
}

/** The beginning of the interfaces' names in containers; `eth` when not given. */
export function interfacePrefix(network: NetworkRecord): string {
  return network.options[IFACE_PREFIX] || 'eth';
}

/**
 * The endpoint's sysctls, `net.ipv4.conf.IFNAME.log_martians=1,…`, as paths below `/proc/sys`. Errors: `invalid` with the
 * Engine's text for what names another interface or leaves the interface's own settings.
 */
export function interfaceSysctls(
  endpoint: Pick<EndpointRecord, 'driverOptions' | 'interfaceName'>,
): { path: string; value: string }[] {
  const asked = endpoint.driverOptions?.[SYSCTLS];
  if (!asked) return [];
  return asked.split(',').map((entry) => {
    const match = /^net\.(ipv4|ipv6|mpls)\.([a-z0-9_-]+)\.IFNAME\.([a-z0-9_-]+)=(.*)$/i.exec(entry.trim());
    if (!match) throw unrecognised(entry);
    const [, family, group, key, value = ''] = match as unknown as [string, string, string, string, string];
    return { path: `net/${family}/${group}/${endpoint.interfaceName}/${key}`.toLowerCase(), value };
  });
}

function unrecognised(entry: string): WharfError {
  const form = "represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'";
  return new WharfError('invalid', `unrecognised network interface sysctl '${entry.toLowerCase()}'; ${form}`);
}

/** What of a family's traffic passes the gateway. */
function gatewayMode(network: NetworkRecord, option: string): GatewayMode {
  const text = network.options[option] || 'nat';
  if (text !== 'nat' && text !== 'nat-unprotected' && text !== 'routed' && text !== 'isolated')
    throw unreadable(option, text, `unknown gateway mode ${text}`);
  if (text === 'isolated' && !network.internal)
    throw new WharfError('invalid', "gateway mode 'isolated' can only be used for an internal network");
  return text;
}

function hostBinding(options: Record<string, string>): string {
  const option = `${BRIDGE}host_binding_ipv4`;
  const text = options[option] ?? '';
  if (text && !isIP(text)) throw unreadable(option, text, 'nil ip');
  return text;
}

function policyOf(options: Record<string, string>, otherwise: PublishPolicy): PublishPolicy {
  const text = options[POLICY] || otherwise;
  if (text !== 'open' && text !== 'obey') throw unreadable(POLICY, text, 'it is "open" or "obey"');
  return text;
}

function flag(options: Record<string, string>, option: string, otherwise: boolean): boolean {
  const text = options[option];
  if (text === undefined) return otherwise;
  const value = parseBool(text);
  if (value === undefined)
    throw unreadable(option, text, `strconv.ParseBool: parsing "${text}": invalid syntax`);
  return value;
}

/** As Go's `strconv.ParseBool` reads it; undefined for what it refuses. */
function parseBool(text: string): boolean | undefined {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : undefined;
}

/**
 * The address families of a new network, and its options without those on families that the request itself decides, as the
 * Engine drops them. Errors: `invalid` with the Engine's text.
 */
export function familyOptions(request: Pick<NetworkRequest, 'enableIPv4' | 'enableIPv6' | 'options'>): {
  enableIPv4: boolean;
  enableIPv6: boolean;
  options: Record<string, string>;
} {
  const options = { ...request.options };
  const decided = (asked: boolean | undefined, option: string, otherwise: boolean): boolean => {
    const text = options[option];
    if (text === undefined) return asked ?? otherwise;
    const value = parseBool(text);
    if (value === undefined) throw new WharfError('invalid', `driver-opt "${option}" is not a valid bool`);
    if (asked !== undefined) delete options[option];
    return asked ?? value;
  };
  return {
    enableIPv4: decided(request.enableIPv4, 'com.docker.network.enable_ipv4', true),
    enableIPv6: decided(request.enableIPv6, 'com.docker.network.enable_ipv6', false),
    options,
  };
}

function unreadable(option: string, text: string, why: string): WharfError {
  return new WharfError('invalid', `failed to parse ${option} value: ${text} (${why})`);
}
