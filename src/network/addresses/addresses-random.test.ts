import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatIpv4, formatSubnet, overlaps, parseIpv4, parseSubnet, subnetSize } from './ipv4.ts';
import { AddressPool, chooseSubnet, type Range } from './pools.ts';

function generator(seed: number) {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, of: <T>(list: readonly T[]): T => list[below(list.length)] as T };
}

describe('random addresses', () => {
  it('come back from their text, and so do their networks', () => {
    const { below } = generator(1);
    for (let round = 0; round < 3000; round++) {
      const [value, prefix] = [below(2 ** 32), below(33)];
      assert.equal(parseIpv4(formatIpv4(value)), value);
      const subnet = parseSubnet(`${formatIpv4(value)}/${prefix}`);
      assert.deepEqual([subnet.address, subnet.prefix], [value, prefix]);
      assert.equal(subnet.base % subnetSize(prefix), 0);
      assert.ok(subnet.base <= value && value < subnet.base + subnetSize(prefix));
      assert.deepEqual(parseSubnet(formatSubnet(subnet)), { ...subnet, address: subnet.base });
    }
  });

  it('overlap exactly when one network holds the other’s first address', () => {
    const { below } = generator(2);
    const random = (): Range => {
      const { base, prefix } = parseSubnet(
        `10.${below(2)}.${below(4) * 64}.${below(4) * 64}/${20 + below(13)}`,
      );
      return { base, prefix };
    };
    const holds = (range: Range, at: number) =>
      range.base <= at && at < range.base + subnetSize(range.prefix);
    for (let round = 0; round < 5000; round++) {
      const [left, right] = [random(), random()];
      const expected = holds(left, right.base) || holds(right, left.base);
      assert.equal(overlaps(left, right), expected, `${formatSubnet(left)} ${formatSubnet(right)}`);
      assert.equal(overlaps(right, left), expected);
    }
  });

  it('that are none are refused', () => {
    for (const text of [
      ' 1.2.3.4',
      '1.2.3.4 ',
      '1.2.3.4\n',
      '1.2.3.0004',
      '1..3.4',
      '.1.2.3',
      '1.2.3.',
      '0x1.2.3.4',
      '1e1.2.3.4',
      '::1',
    ])
      assert.throws(() => parseIpv4(text), { kind: 'invalid' }, text);
    for (const text of [
      '10.0.0.0',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '10.0.0.0/8/8',
      '10.0.0.0/ 8',
      '10.0.0/8',
      '::/0',
      '10.0.0.0/008',
    ])
      assert.throws(() => parseSubnet(text), { kind: 'invalid' }, text);
  });
});

describe('choosing subnets', () => {
  it('gives one after another without an overlap, until the spaces are used up', () => {
    const spaces = [
      { base: '10.0.0.0/22', size: 24 },
      { base: '10.1.0.128/25', size: 28 },
    ];
    const inUse: Range[] = [parseSubnet('10.0.1.77/32')];
    const chosen: string[] = [];
    assert.throws(
      () => {
        for (;;) {
          const subnet = chooseSubnet(spaces, inUse);
          assert.ok(!inUse.some((range) => overlaps(range, parseSubnet(subnet))), subnet);
          inUse.push(parseSubnet(subnet));
          chosen.push(subnet);
        }
      },
      { kind: 'exhausted', message: 'all predefined address pools have been fully subnetted' },
    );
    assert.deepEqual(chosen.slice(0, 4), ['10.0.0.0/24', '10.0.2.0/24', '10.0.3.0/24', '10.1.0.128/28']);
    assert.equal(chosen.length, 3 + 8);
  });

  it('without any space there is none', () => {
    assert.throws(() => chooseSubnet([], []), { kind: 'exhausted' });
  });
});

describe('an address pool', () => {
  it('under random use never has one address twice, nor one whose interface still answers', () => {
    const { below, of } = generator(4);
    const living = new Set<string>();
    const pool = new AddressPool('10.0.0.0/27', ['10.0.0.1'], (link) => !living.has(link));
    const held = new Map<string, string>();
    /** Addresses that were given back while their interface lived on. */
    const resting = new Map<string, string>();
    let [made, full] = [0, 0];
    for (let round = 0; round < 5000; round++) {
      const action = below(5);
      if (action < 2) {
        const link = `wv${round}`;
        for (const [address, old] of resting) if (!living.has(old)) resting.delete(address);
        try {
          const address = pool.take(link);
          assert.ok(!held.has(address) && !resting.has(address) && address !== '10.0.0.1', address);
          const value = parseIpv4(address) - parseIpv4('10.0.0.0');
          assert.ok(value > 0 && value < 31, address);
          for (let lower = 2; lower < value; lower++) {
            const other = `10.0.0.${lower}`;
            assert.ok(held.has(other) || resting.has(other), `${other} was free, ${address} was given`);
          }
          held.set(address, link);
          living.add(link);
          made += 1;
        } catch (thrown) {
          assert.equal((thrown as { kind?: string }).kind, 'exhausted');
          assert.equal(held.size + resting.size, 29, 'it says it is full when it is');
          full += 1;
        }
      } else if (action === 2 && held.size > 0) {
        const [address, link] = of([...held]);
        pool.release(address, link);
        held.delete(address);
        resting.set(address, link);
      } else if (action === 3 && living.size > held.size) {
        const [, link] = of([...resting.entries(), ['', '']]);
        if (link) living.delete(link);
      } else if (action === 4) {
        const address = `10.0.0.${below(40)}`;
        const value = Number(address.split('.')[3]);
        const link = held.get(address) ?? `other${round}`;
        const free = !held.has(address) || held.get(address) === link;
        const claimed = pool.claim(address, link);
        assert.equal(claimed, free && value >= 2 && value <= 30, address);
        if (!claimed || held.has(address)) continue;
        resting.delete(address);
        held.set(address, link);
        living.add(link);
      }
    }
    assert.ok(made > 500 && full > 50, `${made} made, ${full} times full`);
  });

  it('names its network and nothing else when it is full, and lives with one address only', () => {
    const pool = new AddressPool('10.0.0.0/30', ['10.0.0.1'], () => false, 'bridge (abc)');
    assert.equal(pool.take('a'), '10.0.0.2');
    const text =
      "failed to set up container networking: no available IPv4 addresses on this network's address pools: bridge (abc)";
    assert.throws(() => pool.take('b'), { kind: 'exhausted', message: text });
    pool.release('10.0.0.2', 'a');
    assert.throws(() => pool.take('b'), { kind: 'exhausted' }, 'the old interface is still there');
  });

  it('gives nothing out that lies outside of it, though it be released there', () => {
    const pool = new AddressPool('10.0.0.0/29', ['10.0.0.1'], () => true);
    for (const address of ['10.0.0.0', '10.0.0.7', '10.0.1.2', '9.255.255.255']) pool.release(address, 'x');
    const all = Array.from({ length: 5 }, (_, at) => pool.take(`l${at}`));
    assert.deepEqual(all, ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
    assert.throws(() => pool.take('more'), { kind: 'exhausted' });
  });
});
