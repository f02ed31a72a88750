import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createNetns, deleteNetns } from '../namespace.ts';
import { withNetns } from '../netns-switch.ts';
import { runNft } from '../nft.ts';
import { MessageWriter } from './message.ts';
import { type NftChange, NftChanges, watchNftables, watchRoutes } from './monitor.ts';
import { RouteSocket } from './route-socket.ts';

let base: string;
let pin: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-monitor-'));
  pin = join(base, 'ns');
  createNetns(pin);
});
afterEach(() => {
  deleteNetns(pin);
  rmSync(base, { recursive: true, force: true });
});

const inside = (...command: string[]) => execFileSync('nsenter', [`--net=${pin}`, ...command]);
const nft = (script: string) => withNetns(pin, () => runNft(script));
/** Longer than changes are gathered for. */
const settle = () => pause(60);

/** What a watch tells, and a wait for the next. */
function recorder<T>(watch: (tell: (event: T) => void) => Disposable) {
  const events: T[] = [];
  let next = Promise.withResolvers<void>();
  const watching = withNetns(pin, () =>
    watch((event) => {
      events.push(event);
      next.resolve();
      next = Promise.withResolvers();
    }),
  );
  return {
    events,
    /** Does something and waits until it is told; the timer keeps the process until then, which a watch does not. */
    async after(work: () => void): Promise<void> {
      const told = next.promise;
      const alive = setInterval(() => {}, 1000);
      work();
      await told;
      await settle();
      clearInterval(alive);
    },
    [Symbol.dispose]: () => watching[Symbol.dispose](),
  };
}

describe('watched routes', () => {
  const record = () => recorder<void>((tell) => watchRoutes(tell));

  it('tell of links, addresses and routes of both families that another process changes', async () => {
    using watch = record();
    let told = 0;
    for (const command of [
      'link add eth0 type veth peer name eth1',
      'link set eth0 up',
      'address add 10.7.0.2/24 dev eth0',
      'address add fd07::2/64 dev eth0 nodad',
      'link set eth1 up',
      'route add 10.8.0.0/16 via 10.7.0.1',
      'route add fd08::/32 via fd07::1',
      'route del 10.8.0.0/16',
      'route del fd08::/32',
      'link del eth0',
    ]) {
      await watch.after(() => inside('ip', ...command.split(' ')));
      assert.ok(watch.events.length > told, command);
      told = watch.events.length;
    }
  });

  it('tell of a burst once', async () => {
    using watch = record();
    using route = RouteSocket.open(pin);
    await watch.after(() => {
      for (let at = 0; at < 20; at++) route.addBridge(`br${at}`);
    });
    assert.equal(watch.events.length, 1);
    await watch.after(() => route.deleteLink('br0'));
    assert.equal(watch.events.length, 2);
  });

  it('tell once of so many that the kernel dropped some', async () => {
    using watch = record();
    using route = RouteSocket.open(pin);
    route.addBridge('br0');
    route.setUp('br0');
    await watch.after(() => {
      for (let at = 0; at < 3000; at++) route.setMtu('br0', 1400 + (at % 2));
    });
    assert.equal(watch.events.length, 1);
    await watch.after(() => route.deleteLink('br0'));
    assert.equal(watch.events.length, 2);
  });

  it('are those of the namespace where the watch began, until it is disposed', async () => {
    const watch = record();
    using home = RouteSocket.open(pin);
    const other = join(base, 'other');
    createNetns(other);
    try {
      using elsewhere = RouteSocket.open(other);
      elsewhere.addBridge('br0');
      await settle();
      assert.equal(watch.events.length, 0);
      home.addBridge('br0');
      watch[Symbol.dispose]();
      watch[Symbol.dispose]();
      home.addBridge('br1');
      await settle();
      assert.equal(watch.events.length, 0);
    } finally {
      deleteNetns(other);
    }
  });
});

describe('watched nftables', () => {
  const record = () => recorder<NftChange>((tell) => watchNftables(tell));

  it('name the process, the tables, and whether anything was removed', async () => {
    using watch = record();
    await watch.after(() => nft('add table inet one; add set inet one s { type ipv4_addr; }'));
    assert.deepEqual(watch.events, [{ pid: process.pid, tables: new Set(['one']), deleted: false }]);
    await watch.after(() => inside('nft', 'add table ip two; add element inet one s { 10.0.0.1 }'));
    const [, second] = watch.events;
    assert.notEqual(second?.pid, process.pid);
    assert.ok(second && second.pid > 0);
    assert.deepEqual([second.tables, second.deleted], [new Set(['one', 'two']), false]);
  });

  for (const [what, script] of [
    ['an element', 'delete element inet t s { 10.0.0.1 }'],
    ['all elements', 'flush set inet t s'],
    ['rules', 'flush chain inet t c'],
    ['a chain', 'flush chain inet t c; delete chain inet t c'],
    ['a set', 'delete set inet t s'],
    ['a table', 'delete table inet t'],
    ['everything', 'flush ruleset'],
  ] as const) {
    it(`tell that ${what} was removed by another process`, async () => {
      nft(`table inet t {
        set s { type ipv4_addr; elements = { 10.0.0.1 }; }
        chain c { ip saddr 10.0.0.1 drop; }
      }`);
      using watch = record();
      await watch.after(() => inside('nft', script));
      assert.equal(watch.events.length, 1);
      const [event] = watch.events;
      assert.deepEqual([event?.tables, event?.deleted], [new Set(['t']), true]);
    });
  }

  it('gather the transactions of one process, and keep those of two apart', async () => {
    using watch = record();
    await watch.after(() => {
      for (const name of ['a', 'b', 'c']) nft(`add table inet ${name}`);
      nft('delete table inet a');
      inside('nft', 'add table inet d');
    });
    assert.deepEqual(
      watch.events.map(({ pid, tables, deleted }) => [pid === process.pid, [...tables], deleted]),
      [
        [true, ['a', 'b', 'c'], true],
        [false, ['d'], false],
      ],
    );
  });

  it('say that anything may be different when the kernel dropped some', async () => {
    nft('add table inet t; add set inet t s { type ipv4_addr; }');
    const elements = Array.from({ length: 10_000 }, (_, at) => `10.1.${at >> 8}.${at & 255}`);
    using watch = record();
    await watch.after(() => {
      for (let round = 0; round < 3; round++)
        nft(`flush set inet t s; add element inet t s { ${elements.join(', ')} }`);
    });
    assert.ok(watch.events.some(({ pid, tables, deleted }) => pid === 0 && tables.size === 0 && deleted));
    const told = watch.events.length;
    await watch.after(() => nft('delete table inet t'));
    assert.deepEqual(watch.events.slice(told), [{ pid: process.pid, tables: new Set(['t']), deleted: true }]);
  });
});

describe('transactions of nftables', () => {
  const payload = (fill: (writer: MessageWriter) => MessageWriter) =>
    fill(new MessageWriter().fixed(Buffer.from([1, 0, 0, 0])))
      .finish(0, 0, 0)
      .subarray(16);
  const add = (changes: NftChanges, type: number, data: Buffer) => changes.add(type, data, 0, data.length);
  const table = (name: string) => payload((writer) => writer.text(1, name));
  const generation = (pid: number) =>
    payload((writer) => writer.u32(1, 7).bytes(2, Buffer.from([0, 0, 0, pid])));

  it('are complete with their generation, which may come later', () => {
    const changes = new NftChanges();
    add(changes, 0xa00, table('one'));
    assert.deepEqual(changes.take(), []);
    add(changes, 0xa0e, table('two'));
    add(changes, 0xa0f, generation(9));
    assert.deepEqual(changes.take(), [{ pid: 9, tables: new Set(['one', 'two']), deleted: true }]);
    assert.deepEqual(changes.take(), []);
    add(changes, 0xa06, table('two'));
    add(changes, 0xa0f, generation(9));
    assert.deepEqual(changes.take(), [{ pid: 9, tables: new Set(['two']), deleted: false }]);
  });

  it('of other subsystems or in pieces are nothing', () => {
    const changes = new NftChanges();
    add(changes, 0x100, table('no'));
    add(changes, 0xa00, Buffer.alloc(0));
    add(changes, 0xa00, table('cut').subarray(0, 9));
    add(changes, 0xa0f, generation(3));
    assert.deepEqual(changes.take(), [{ pid: 3, tables: new Set(), deleted: false }]);
  });
});

it('watches keep no descriptor when they are disposed', () => {
  const home = readdirSync('/proc/self/fd').length;
  for (let round = 0; round < 20; round++)
    for (const watch of [watchRoutes(() => {}), watchNftables(() => {})]) watch[Symbol.dispose]();
  assert.equal(readdirSync('/proc/self/fd').length, home);
});
