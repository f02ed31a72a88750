import { type Clock, WharfError } from '../../base/index.ts';
import type { NetworkRecord } from '../types.ts';
import { type Family, formatAddress, isAddress, parseAddress } from './address.ts';
import { AddressPool, type Rest } from './pool.ts';
import type { AddressBook, EndpointAddresses } from './types.ts';

const FAMILIES = [
  { family: 4, field: 'ipv4' },
  { family: 6, field: 'ipv6' },
] as const;

/** What of a network its addresses depend on. */
type AddressedNetwork = Pick<NetworkRecord, 'id' | 'name' | 'pools'>;

/** A book in which only gateways and auxiliary addresses are written. */
export function openAddressBook(
  network: AddressedNetwork,
  { gone, clock, quarantineMs }: Pick<Rest, 'gone' | 'quarantineMs'> & { clock: Pick<Clock, 'monotonic'> },
): AddressBook {
  return new PooledAddressBook(network, { gone, now: () => clock.monotonic(), quarantineMs });
}

class PooledAddressBook implements AddressBook {
  private readonly network: AddressedNetwork;
  private readonly pools: AddressPool[];

  constructor(network: AddressedNetwork, rest: Rest) {
    this.network = network;
    this.pools = network.pools.map((pool) => new AddressPool(pool, rest));
  }

  take(holder: string, wanted: Partial<EndpointAddresses> = {}): EndpointAddresses {
    const found: EndpointAddresses = { ipv4: '', ipv6: '' };
    const undo: (() => void)[] = [];
    try {
      for (const { family, field } of FAMILIES) {
        const { pool, value } = wanted[field]
          ? this.takeWanted(holder, family, wanted[field])
          : this.takeAny(holder, family);
        if (!pool) continue;
        undo.push(() => pool.release(holder, value));
        found[field] = formatAddress({ family, value });
      }
      return found;
    } catch (thrown) {
      for (const step of undo) step();
      throw thrown;
    }
  }

  claim(holder: string, addresses: EndpointAddresses): string[] {
    return this.each(addresses).flatMap(({ text, pool, value }) => {
      if (!pool) return `address ${text} is not of network ${this.network.name}`;
      return pool.takeOne(holder, value) ? [] : `address ${text} is not free in network ${this.network.name}`;
    });
  }

  release(holder: string, addresses: EndpointAddresses): void {
    for (const { pool, value } of this.each(addresses)) pool?.release(holder, value);
  }

  private takeAny(
    holder: string,
    family: Family,
  ): { pool: AddressPool; value: bigint } | { pool: undefined; value: 0n } {
    const pools = this.pools.filter((pool) => pool.family === family);
    for (const pool of pools) {
      const value = pool.takeAny(holder);
      if (value !== undefined) return { pool, value };
    }
    if (pools.length === 0) return { pool: undefined, value: 0n };
    const { name, id } = this.network;
    throw new WharfError(
      'exhausted',
      `no available IPv${family} addresses on this network's address pools: ${name} (${id})`,
    );
  }

  private takeWanted(holder: string, family: Family, text: string): { pool: AddressPool; value: bigint } {
    const address = isAddress(text) ? parseAddress(text) : undefined;
    if (address?.family !== family) throw new WharfError('invalid', `invalid IPv${family} address: ${text}`);
    const pool = this.poolOf(family, address.value);
    if (!pool)
      throw new WharfError('invalid', `no configured subnet or ip-range contain the IP address ${text}`);
    if (!pool.takeOne(holder, address.value)) throw new WharfError('conflict', 'Address already in use');
    return { pool, value: address.value };
  }

  private poolOf(family: Family, value: bigint): AddressPool | undefined {
    return this.pools.find((pool) => pool.family === family && pool.covers(value));
  }

  private each(
    addresses: EndpointAddresses,
  ): { text: string; pool: AddressPool | undefined; value: bigint }[] {
    return [addresses.ipv4, addresses.ipv6].filter(Boolean).map((text) => {
      const { family, value } = parseAddress(text);
      return { text, pool: this.poolOf(family, value), value };
    });
  }
}
