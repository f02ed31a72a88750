import { BlockList, isIP } from 'node:net';
import type { IPAMConfig } from '../../../api/index.ts';
import { WharfError } from '../../../base/index.ts';
import type { ParsedFlags } from '../../flags.ts';
import { toMap } from '../../run/env-file.ts';

/** A range of a network with its subnet. */
type Pool = IPAMConfig & { Subnet: string };

/**
 * One pool for every `--subnet`; each range, gateway and auxiliary address goes to the subnet that contains it. Throws
 * WharfError `invalid` with Docker's text.
 */
export function poolsOf(flags: ParsedFlags): Pool[] {
  const subnets = flags.list('subnet');
  const [ranges, gateways] = [flags.list('ip-range'), flags.list('gateway')];
  if (subnets.length < ranges.length || subnets.length < gateways.length)
    throw invalid('every ip-range or gateway must have a corresponding subnet');
  const pools = subnets.map((Subnet): Pool => ({ Subnet }));
  refuseOverlap(subnets);
  for (const range of ranges) {
    if (subnets.length > 0) parseCidr(range);
    const pool = poolFor(pools, range, 'range');
    if (pool.IPRange !== undefined)
      throw invalid(
        `cannot configure multiple ranges (${range}, ${pool.IPRange}) on the same subnet (${pool.Subnet})`,
      );
    pool.IPRange = range;
  }
  for (const gateway of gateways) {
    const pool = poolFor(pools, gateway, 'gateway');
    if (pool.Gateway !== undefined)
      throw invalid(
        `cannot configure multiple gateways (${gateway}, ${pool.Gateway}) for the same subnet (${pool.Subnet})`,
      );
    pool.Gateway = gateway;
  }
  for (const [name, address] of Object.entries(toMap(flags.list('aux-address')))) {
    const pool = poolFor(pools, address, 'aux-address');
    pool.AuxiliaryAddresses = { ...pool.AuxiliaryAddresses, [name]: address };
  }
  return pools;
}

const invalid = (text: string): WharfError => new WharfError('invalid', text);

function refuseOverlap(subnets: readonly string[]): void {
  subnets.forEach((subnet, at) => {
    for (const before of subnets.slice(0, at))
      if (contains(subnet, before) || contains(before, subnet))
        throw invalid('multiple overlapping subnet configuration is not supported');
  });
}

function poolFor(pools: readonly Pool[], address: string, what: string): Pool {
  const pool = pools.find((each) => contains(each.Subnet, address));
  if (!pool) throw invalid(`no matching subnet for ${what} ${address}`);
  return pool;
}

type Family = 'ipv4' | 'ipv6';
const familyOf = (address: string): Family => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

function parseCidr(text: string): { address: string; prefix: number } {
  const at = text.indexOf('/');
  const [address, prefix] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > (version === 4 ? 32 : 128))
    throw invalid(`invalid CIDR address: ${text}`);
  return { address, prefix: Number(prefix) };
}

/** Whether an address, or the address of a CIDR, is in a subnet. */
function contains(subnet: string, data: string): boolean {
  let range: { address: string; prefix: number };
  try {
    range = parseCidr(subnet);
  } catch (thrown) {
    throw invalid(`invalid subnet: ${WharfError.from(thrown).message}`);
  }
  const address = data.includes('/') ? parseCidr(data).address : data;
  if (isIP(address) === 0) return false;
  const list = new BlockList();
  list.addSubnet(range.address, range.prefix, familyOf(range.address));
  return list.check(address, familyOf(address));
}
