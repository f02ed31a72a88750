import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { describe, it } from 'node:test';
import { type Logger, silentLog } from '../../base/index.ts';
import type { NftChange, RouteSocket } from '../../sys/index.ts';
import { SourceKeeper, type SourceKernel } from './source-keeper.ts';

const address = (cidr: string): NetworkInterfaceInfo => {
  const [ip = ''] = cidr.split('/');
  const common = { address: ip, netmask: '', mac: '', internal: false, cidr };
  return ip.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
};

/** A kernel that keeps tables, rules and routes by their text; `fails` breaks one of its calls. */
function fakeKernel(fails?: 'nft' | 'route') {
  const state = { tables: new Set<string>(), routes: new Set<string>(), watching: 0, scripts: 0 };
  let changed: (change: NftChange) => void = () => {};
  // A route is the same by name and by number of its link.
  const keyOf = (object: object) => JSON.stringify({ ...object, dev: undefined });
  const add = (object: object) => {
    if (fails === 'route') throw new Error('no routes');
    const key = keyOf(object);
    if (state.routes.has(key)) throw Object.assign(new Error(key), { code: 'EEXIST' });
    state.routes.add(key);
  };
  const remove = (object: object) => state.routes.delete(keyOf(object));
  const routes = {
    addRoute: add,
    deleteRoute: remove,
    addRule: add,
    deleteRule: remove,
    routes: () => [...state.routes].map((key) => ({ ...JSON.parse(key), linkIndex: 7 })),
    [Symbol.dispose]() {},
  };
  const kernel: SourceKernel = {
    nft: (script) => {
      if (fails === 'nft') throw new Error('no nft');
      state.scripts += 1;
      const name = /inet (\S+)/.exec(script)?.[1] ?? '';
      if (script.includes('chain')) state.tables.add(name);
      else state.tables.delete(name);
    },
    routes: () => routes as unknown as RouteSocket,
    interfaces: () => ({
      br0: [address('10.77.0.1/24'), address('fd77::1/64')],
      eth0: [address('192.0.2.1/24'), address('2001:db8::1/64')],
    }),
    watchNft: (onChange) => {
      changed = onChange;
      state.watching += 1;
      const stop = () => {
        state.watching -= 1;
      };
      return { [Symbol.dispose]: stop };
    },
  };
  return { state, kernel, changed: (change: NftChange) => changed(change) };
}

const open = (kernel: SourceKernel, log: Logger = silentLog, table = 'wharf-obey') =>
  new SourceKeeper({ log, table, kernel });
const to = (ip: string, keepSource = true) => ({ ip, port: 80, keepSource });

describe('the sources of clients', () => {
  it('are kept from the first port to the last, and nothing stands before or after', () => {
    const { state, kernel } = fakeKernel();
    const keeper = open(kernel);
    assert.equal(keeper.markFor('192.0.2.9', to('10.77.0.2')), undefined);
    for (const container of ['10.77.0.2', '10.77.0.2', 'fd77::2']) keeper.acquire(container);
    assert.deepEqual(
      [state.tables.size, state.routes.size, state.watching],
      [1, 5, 1],
      [...state.routes].join(),
    );
    assert.notEqual(keeper.markFor('192.0.2.9', to('10.77.0.2')), undefined);
    for (const container of ['10.77.0.2', 'fd77::2']) keeper.release(container);
    assert.equal(state.routes.size, 5);
    keeper.release('10.77.0.2');
    assert.deepEqual(
      [state.tables.size, state.routes.size, state.watching],
      [0, 0, 0],
      [...state.routes].join(),
    );
  });

  it('are not taken where the container would answer past the host, or cannot', () => {
    const keeper = open(fakeKernel().kernel);
    keeper.acquire('10.77.0.2');
    const mark = keeper.markFor('192.0.2.9', to('10.77.0.2'));
    assert.ok(mark !== undefined && (mark & 0xc_c000) === 0, 'bits of other programs are free');
    assert.equal(keeper.markFor('2001:db8::9', to('fd77::2')), mark);
    for (const [client, destination] of [
      ['10.77.0.3', to('10.77.0.2')],
      ['fd77::3', to('fd77::2')],
      ['192.0.2.1', to('10.77.0.2')],
      ['2001:db8::1', to('fd77::2')],
      ['127.0.0.1', to('10.77.0.2')],
      ['127.9.9.9', to('10.77.0.2')],
      ['::1', to('fd77::2')],
      ['fe80::9%2', to('fd77::2')],
      ['2001:db8::9', to('10.77.0.2')],
      ['192.0.2.9', to('10.77.0.2', false)],
    ] as const)
      assert.equal(keeper.markFor(client, destination), undefined, client);
  });

  it('have marks of their own for each daemon', () => {
    const marks = ['a', 'b', 'c'].map((table) => {
      const keeper = open(fakeKernel().kernel, silentLog, table);
      keeper.acquire('10.77.0.2');
      return keeper.markFor('192.0.2.9', to('10.77.0.2'));
    });
    assert.equal(new Set(marks).size, 3);
  });

  it('are lost with a warning, and nothing else, where the kernel refuses', () => {
    for (const fails of ['nft', 'route'] as const) {
      const warnings: string[] = [];
      const keeper = open(fakeKernel(fails).kernel, {
        ...silentLog,
        warn: (text) => void warnings.push(text),
      });
      keeper.acquire('10.77.0.2');
      assert.equal(keeper.markFor('192.0.2.9', to('10.77.0.2')), undefined);
      assert.match(warnings[0] ?? '', /see the gateway instead of the clients/);
      keeper.release('10.77.0.2');
    }
  });
});

describe('the table of obeyed ports', () => {
  const change = (more: Partial<NftChange>): NftChange => ({
    pid: 1,
    tables: new Set(['wharf-obey']),
    deleted: true,
    ...more,
  });
  it('is restored when somebody else took of it, and left alone otherwise', () => {
    const { state, kernel, changed } = fakeKernel();
    open(kernel).acquire('10.77.0.2');
    for (const other of [{ pid: process.pid }, { tables: new Set(['x']) }, { deleted: false }])
      changed(change(other));
    assert.equal(state.scripts, 1);
    state.tables.clear();
    changed(change({}));
    assert.equal(state.tables.size, 1);
    changed(change({ pid: 0, tables: new Set() }));
    assert.equal(state.scripts, 3);
  });

  it('is dropped when an earlier process left it, and not when ports use it', () => {
    const { state, kernel } = fakeKernel();
    open(kernel).acquire('10.77.0.2');
    const next = open(kernel);
    next.dropStale();
    assert.deepEqual([state.tables.size, state.routes.size], [0, 0]);
    next.acquire('10.77.0.2');
    next.dropStale();
    assert.equal(state.tables.size, 1);
    const scripts = state.scripts;
    open(fakeKernel().kernel).dropStale();
    assert.equal(state.scripts, scripts, 'nothing is done where nothing is');
  });
});
