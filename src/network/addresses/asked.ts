import { WharfError } from '../../base/index.ts';
import type { NetworkRequest } from '../types.ts';
import {
  contains,
  type Family,
  formatAddress,
  formatRange,
  isAddress,
  parseAddress,
  parseCidr,
  type Range,
} from './address.ts';

/** A subnet that a user asks for, found to be sound in itself. Texts are as given. */
export interface AskedPool {
  subnet: Range;
  ipRange?: Range;
  gateway?: string;
  auxiliary?: Record<string, string>;
}

/** A subnet as the Engine writes it: with the host bits that were given. */
type Subnet = Range & { text: string };

type Given = NonNullable<NetworkRequest['pools']>[number];

/**
 * Reads the subnets of a request, without those of a family that the network does not have, which nobody looks at. Errors:
 * `invalid` with all that is wrong, in the Engine's words.
 */
export function checkedPools(given: readonly Given[], families: readonly Family[]): AskedPool[] {
  const problems: string[] = [];
  const pools = given.flatMap((pool) => checkedPool(pool, families, problems));
  if (problems.length === 0) return pools;
  const list = problems.length === 1 ? problems : problems.map((problem) => `* ${problem}`);
  throw new WharfError('invalid', ['invalid network config:', ...list].join('\n'));
}

function checkedPool(given: Given, families: readonly Family[], problems: string[]): AskedPool[] {
  const text = given.subnet ?? '';
  const range = readRange('subnet', text, problems);
  if (!range || !families.includes(range.family)) return [];
  checkHostBits('subnet', text, range, problems);
  const { address } = parseCidr(text);
  const subnet = { ...range, text: `${formatAddress(address)}/${range.prefix}` };
  const ipRange = given.ipRange ? checkRange(given.ipRange, subnet, problems) : undefined;
  if (given.gateway) checkAddress(`gateway ${given.gateway}`, given.gateway, subnet, problems);
  for (const [name, address] of Object.entries(given.auxiliary ?? {}).sort())
    checkAddress(`auxiliary address ${name}`, address, subnet, problems);
  const { gateway, auxiliary } = given;
  return [
    { subnet, ...(ipRange && { ipRange }), ...(gateway && { gateway }), ...(auxiliary && { auxiliary }) },
  ];
}

function readRange(what: string, text: string, problems: string[]): Range | undefined {
  try {
    const { range } = parseCidr(text);
    // ::ffff:0:0/96 is IPv4 in the clothes of IPv6: no packet carries such addresses.
    if (range.family === 4 || range.base >> 32n !== 0xffffn) return range;
  } catch (thrown) {
    if (!(thrown instanceof WharfError)) throw thrown;
  }
  problems.push(`invalid ${what} ${text}: invalid CIDR block notation`);
  return undefined;
}

function checkHostBits(what: string, text: string, range: Range, problems: string[]): void {
  if (parseCidr(text).address.value !== range.base)
    problems.push(`invalid ${what} ${text}: it should be ${formatRange(range)}`);
}

function checkRange(text: string, subnet: Subnet, problems: string[]): Range | undefined {
  const range = readRange('ip-range', text, problems);
  if (!range) return undefined;
  const wrong = (why: string) => problems.push(`invalid ip-range ${text}: ${why}`);
  if (range.family !== subnet.family) {
    wrong(`parent subnet is an IPv${subnet.family} block`);
    return undefined;
  }
  const bigger = range.prefix < subnet.prefix;
  if (bigger) wrong(`CIDR block is bigger than its parent subnet ${subnet.text}`);
  checkHostBits('ip-range', text, range, problems);
  if (!bigger && !contains(subnet, { family: range.family, value: range.base }))
    wrong(`parent subnet ${subnet.text} doesn't contain ip-range`);
  return range;
}

function checkAddress(what: string, text: string, subnet: Subnet, problems: string[]): void {
  const wrong = (why: string) => problems.push(`invalid ${what}: ${why}`);
  if (!isAddress(text)) return void wrong('invalid address');
  const address = parseAddress(text);
  if (address.family !== subnet.family) wrong(`parent subnet is an IPv${subnet.family} block`);
  else if (!contains(subnet, address)) wrong(`parent subnet ${subnet.text} doesn't contain this address`);
}
