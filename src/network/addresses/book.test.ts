import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AddressPoolRecord } from '../types.ts';
import { formatAddress, parseAddress } from './address.ts';
import { openAddressBook } from './book.ts';
import { randomNumbers } from './random-numbers.ts';

const QUARANTINE = 10_000;

/** A book with a clock that stands until it is moved, and interfaces that live until they are killed. */
function lab(...pools: AddressPoolRecord[]) {
  const time = { now: 0 };
  const living = new Set<string>();
  const book = openAddressBook(
    { id: 'abc', name: 'net', pools },
    { gone: (link) => !living.has(link), clock: { monotonic: () => time.now }, quarantineMs: QUARANTINE },
  );
  return { book, time, living };
}

const pool4 = (subnet: string, more: Partial<AddressPoolRecord> = {}): AddressPoolRecord => ({
  subnet,
  gateway: '',
  ...more,
});

describe('an address book', () => {
  it('gives addresses of each family, upward, around what is set aside', () => {
    const { book } = lab(
      pool4('10.0.0.0/24', { gateway: '10.0.0.1', auxiliary: { router: '10.0.0.3' } }),
      pool4('fd00::/64', { gateway: 'fd00::1' }),
    );
    assert.deepEqual(book.take('a'), { ipv4: '10.0.0.2', ipv6: 'fd00::2' });
    assert.deepEqual(book.take('b'), { ipv4: '10.0.0.4', ipv6: 'fd00::3' });
    assert.deepEqual(book.take('c', { ipv6: 'FD00::0:4' }), { ipv4: '10.0.0.5', ipv6: 'fd00::4' });
    assert.deepEqual(book.take('d'), { ipv4: '10.0.0.6', ipv6: 'fd00::5' });
    assert.deepEqual(lab().book.take('x'), { ipv4: '', ipv6: '' });
  });

  it('chooses from the range, and gives what is asked for outside of it', () => {
    const { book } = lab(pool4('10.0.0.0/24', { gateway: '10.0.0.64', ipRange: '10.0.0.64/30' }));
    assert.equal(book.take('a').ipv4, '10.0.0.65');
    assert.equal(book.take('b', { ipv4: '10.0.0.10' }).ipv4, '10.0.0.10');
    assert.equal(book.take('c', { ipv4: '10.0.0.1' }).ipv4, '10.0.0.1');
    assert.equal(book.take('d').ipv4, '10.0.0.66');
    assert.equal(book.take('e').ipv4, '10.0.0.67');
    const message = "no available IPv4 addresses on this network's address pools: net (abc)";
    assert.throws(() => book.take('f'), { kind: 'exhausted', message });
  });

  it('refuses what the Engine refuses, in its words', () => {
    const { book } = lab(pool4('10.0.0.0/24', { gateway: '10.0.0.1' }), pool4('fd00::/64'));
    book.take('a', { ipv4: '10.0.0.9' });
    for (const ipv4 of ['10.0.0.0', '10.0.0.255', '10.0.0.1', '10.0.0.9'])
      assert.throws(
        () => book.take('b', { ipv4 }),
        { kind: 'conflict', message: 'Address already in use' },
        ipv4,
      );
    assert.throws(() => book.take('b', { ipv6: 'fd00::' }), { kind: 'conflict' });
    assert.throws(() => book.take('b', { ipv4: '10.1.0.9' }), {
      kind: 'invalid',
      message: 'no configured subnet or ip-range contain the IP address 10.1.0.9',
    });
    for (const ipv4 of ['foo', 'fd00::7', '10.0.0.300'])
      assert.throws(() => book.take('b', { ipv4 }), {
        kind: 'invalid',
        message: `invalid IPv4 address: ${ipv4}`,
      });
  });

  it('takes all or none', () => {
    const { book, time } = lab(pool4('10.0.0.0/30', { gateway: '10.0.0.1' }), pool4('fd00::/126'));
    assert.throws(() => book.take('a', { ipv6: 'fd01::1' }), { kind: 'invalid' });
    time.now += QUARANTINE;
    assert.equal(book.take('b').ipv4, '10.0.0.2');
  });

  it('knows the smallest subnets', () => {
    const all = (pool: AddressPoolRecord) => {
      const { book } = lab(pool);
      const found: string[] = [];
      assert.throws(
        () => {
          for (;;) {
            const { ipv4, ipv6 } = book.take(`l${found.length}`);
            found.push(ipv4 || ipv6);
          }
        },
        { kind: 'exhausted' },
      );
      return found;
    };
    assert.deepEqual(all(pool4('10.0.0.0/32', { gateway: '10.0.0.0' })), []);
    assert.deepEqual(all(pool4('10.0.0.0/31', { gateway: '10.0.0.0' })), ['10.0.0.1']);
    assert.deepEqual(all(pool4('10.0.0.0/30', { gateway: '10.0.0.1' })), ['10.0.0.2']);
    assert.deepEqual(all(pool4('fd00::/127', { gateway: 'fd00::1' })), []);
    assert.deepEqual(all(pool4('fd00::/126', { gateway: 'fd00::1' })), ['fd00::2', 'fd00::3']);
    assert.deepEqual(all(pool4('fd00::/128')), []);
  });

  it('goes on in the next subnet when one is full', () => {
    const { book } = lab(
      pool4('10.0.0.0/30', { gateway: '10.0.0.1' }),
      pool4('10.1.0.0/30', { gateway: '10.1.0.1' }),
    );
    assert.deepEqual([book.take('a').ipv4, book.take('b').ipv4], ['10.0.0.2', '10.1.0.2']);
    assert.throws(() => book.take('c'), { kind: 'exhausted' });
  });

  it('lets addresses rest until the interface is gone, and for the quarantine', () => {
    const { book, time, living } = lab(pool4('10.0.0.0/24'));
    living.add('a');
    const a = book.take('a');
    book.release('a', a);
    book.release('a', a);
    assert.equal(book.take('b').ipv4, '10.0.0.2');
    time.now += QUARANTINE;
    assert.equal(book.take('c').ipv4, '10.0.0.3', 'the interface is still there');
    living.delete('a');
    assert.equal(book.take('d').ipv4, '10.0.0.1');
    book.release('d', { ipv4: '10.0.0.1', ipv6: '' });
    time.now += QUARANTINE - 1;
    assert.equal(book.take('e').ipv4, '10.0.0.4');
    assert.equal(book.take('f', { ipv4: '10.0.0.1' }).ipv4, '10.0.0.1', 'who asks for it gets it');
  });

  it('hands out what has rested longest when it would be exhausted', () => {
    const { book, time, living } = lab(pool4('10.0.0.0/29'));
    const held = Array.from({ length: 6 }, (_, at) => book.take(`l${at}`));
    for (const at of [4, 1, 3]) {
      book.release(`l${at}`, held[at] as (typeof held)[number]);
      time.now += 1;
    }
    living.add('l4');
    assert.equal(book.take('x').ipv4, held[1]?.ipv4, 'the interface of the first is still there');
    living.delete('l4');
    assert.equal(book.take('y').ipv4, held[4]?.ipv4);
    assert.equal(book.take('z').ipv4, held[3]?.ipv4);
    assert.throws(() => book.take('more'), { kind: 'exhausted' });
  });

  it('counts at recovery what others have, and names what it can’t', () => {
    const { book } = lab(pool4('10.0.0.0/24', { gateway: '10.0.0.1' }), pool4('fd00::/64'));
    const both = { ipv4: '10.0.0.2', ipv6: 'fd00::1' };
    assert.deepEqual(book.claim('a', both), []);
    assert.deepEqual(book.claim('a', both), [], 'the same holder may say it again');
    assert.deepEqual(book.claim('b', { ipv4: '10.0.0.2', ipv6: 'fd01::1' }), [
      'address 10.0.0.2 is not free in network net',
      'address fd01::1 is not of network net',
    ]);
    assert.equal(book.claim('b', { ipv4: '10.0.0.1', ipv6: '' }).length, 1, 'the gateway');
    assert.deepEqual(book.take('c'), { ipv4: '10.0.0.3', ipv6: 'fd00::2' });
  });

  it('never takes an address from another', () => {
    const { book, time } = lab(pool4('10.0.0.0/29', { gateway: '10.0.0.1' }));
    const a = book.take('a');
    for (const ipv4 of [a.ipv4, '10.0.0.1', '10.0.0.0', '10.0.0.7', '10.9.9.9'])
      book.release('b', { ipv4, ipv6: '' });
    time.now += QUARANTINE;
    const rest = Array.from({ length: 4 }, (_, at) => book.take(`l${at}`).ipv4);
    assert.deepEqual(rest, ['10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
    assert.throws(() => book.take('more'), { kind: 'exhausted' });
  });
});

describe('an address book under random use', () => {
  for (const [seed, subnet, gateway] of [
    [4, '10.0.0.0/27', '10.0.0.1'],
    [5, 'fd00::/123', 'fd00::1'],
  ] as const)
    it(`has no address of ${subnet} twice, nor one that rests while another is free`, () => {
      const { below, of } = randomNumbers(seed);
      const { book, time, living } = lab(pool4(subnet, { gateway }));
      const six = subnet.includes(':');
      const field = six ? 'ipv6' : 'ipv4';
      const base = parseAddress(subnet.split('/')[0] as string);
      const text = (at: number) => formatAddress({ ...base, value: base.value + BigInt(at) });
      const pair = (address: string) => ({ ipv4: '', ipv6: '', [field]: address });
      const usable = Array.from({ length: six ? 31 : 30 }, (_, at) => at + 1);
      const held = new Map<number, string>();
      const resting = new Map<number, { link: string; since: number }>();
      const wakes = ({ link, since }: { link: string; since: number }) =>
        !living.has(link) && time.now - since >= QUARANTINE;
      let [made, full, early] = [0, 0, 0];
      for (let round = 0; round < 6000; round++) {
        time.now += below(1500);
        const link = `wv${round}`;
        const action = below(6);
        if (action < 2) {
          for (const [at, rest] of resting) if (wakes(rest)) resting.delete(at);
          const free = usable.filter((at) => at !== 1 && !held.has(at) && !resting.has(at));
          const oldest = [...resting].find(([, rest]) => !living.has(rest.link))?.[0];
          const expected = free[0] ?? oldest;
          if (expected === undefined) {
            assert.throws(() => book.take(link), { kind: 'exhausted' });
            full += 1;
            continue;
          }
          assert.equal(book.take(link)[field], text(expected));
          if (free.length === 0) early += 1;
          resting.delete(expected);
          held.set(expected, link);
          living.add(link);
          made += 1;
        } else if (action === 2 && held.size > 0) {
          const [at, holder] = of([...held]);
          book.release('somebody else', pair(text(at)));
          book.release(holder, pair(text(at)));
          held.delete(at);
          resting.set(at, { link: holder, since: time.now });
        } else if (action === 3 && resting.size > 0) living.delete(of([...resting.values()]).link);
        else if (action >= 4) {
          const at = below(36);
          const possible = usable.includes(at) && at !== 1 && !held.has(at);
          if (action === 4) assert.equal(book.claim(link, pair(text(at))).length, possible ? 0 : 1, text(at));
          else if (possible) assert.equal(book.take(link, { [field]: text(at) })[field], text(at));
          else assert.throws(() => book.take(link, { [field]: text(at) }));
          if (!possible) continue;
          resting.delete(at);
          held.set(at, link);
          living.add(link);
        }
      }
      assert.ok(made > 500 && full > 20 && early > 20, `${made} made, ${full} times full, ${early} early`);
    });

  it('has nothing left after 10,000 cycles, even of 2^64 addresses', () => {
    const { book, time } = lab(pool4('10.0.0.0/22', { gateway: '10.0.0.1' }), pool4('fd00::/64'));
    for (let cycle = 0; cycle < 10_000; cycle++) {
      const link = `wv${cycle}`;
      book.release(link, book.take(link, cycle % 7 ? {} : { ipv6: `fd00::${(cycle % 64).toString(16)}:1` }));
      time.now += 50;
    }
    time.now += QUARANTINE;
    const all = new Set(Array.from({ length: 1021 }, (_, at) => book.take(`all${at}`).ipv4));
    assert.equal(all.size, 1021);
    assert.throws(() => book.take('more'), { kind: 'exhausted' });
  });
});
