import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type LogFields, type Logger, silentLog } from '../base/index.ts';
import { type Database, openMemoryDatabase } from '../meta/index.ts';
import type { NetworkConfig } from './config.ts';
import type { NameService } from './dns/types.ts';
import { FakeKernel } from './fake-kernel.ts';
import type { Firewall, FirewallChange, FirewallState } from './firewall/types.ts';
import { openNetworkStack } from './open.ts';
import { openPorts } from './publish/ports.ts';
import type { Ports } from './publish/types.ts';
import type { HostNetworkStack } from './stack.ts';
import type { SandboxRecord } from './types.ts';

/** A table in memory: what was added and not removed. */
export class FakeFirewall implements Firewall {
  readonly entries = new Set<string>();
  /** Throws from the next changes. */
  failing = false;
  private watched: (() => FirewallState) | undefined;
  private restored: (problems: string[]) => void = () => {};

  ensure(state: FirewallState): boolean {
    if (this.problems(state).length === 0) return false;
    this.entries.clear();
    this.apply({ add: state });
    return true;
  }

  apply({ add = {}, remove = {} }: FirewallChange): void {
    if (this.failing) throw new Error('nft was made to fail');
    for (const entry of entriesOf(remove)) this.entries.delete(entry);
    for (const entry of entriesOf(add)) this.entries.add(entry);
  }

  problems(state: FirewallState): string[] {
    const wanted = new Set(entriesOf(state));
    const lacking = [...wanted].filter((entry) => !this.entries.has(entry));
    const stray = [...this.entries].filter((entry) => !wanted.has(entry));
    return [...lacking.map((entry) => `lacks ${entry}`), ...stray.map((entry) => `has a stray ${entry}`)];
  }

  drop(): void {
    this.entries.clear();
  }

  watch(wanted: () => FirewallState, restored: (problems: string[]) => void): Disposable {
    [this.watched, this.restored] = [wanted, restored];
    return {
      [Symbol.dispose]: () => {
        this.watched = undefined;
      },
    };
  }

  /** An outsider flushes the table; true when somebody watches. */
  flush(): boolean {
    this.entries.clear();
    if (!this.watched) return false;
    this.restored(this.problems(this.watched()));
    return this.ensure(this.watched());
  }
}

function entriesOf({ bridges = [], ports = [] }: Partial<FirewallState>): string[] {
  return [...bridges, ...ports].map((entry) => JSON.stringify(entry));
}

/** Remembers what it was told. */
export class FakeNames implements NameService {
  readonly told = new Map<string, SandboxRecord>();
  failing = false;

  update(sandbox: SandboxRecord): void {
    if (this.failing) throw new Error('names were made to fail');
    this.told.set(sandbox.sandboxId, sandbox);
  }

  remove(sandboxId: string): void {
    this.told.delete(sandboxId);
  }

  problems(): string[] {
    return [];
  }

  close(): void {}
}

/** One host in memory, on which stacks are opened one after the other, as daemons are. */
export interface FakeHost {
  kernel: FakeKernel;
  firewall: FakeFirewall;
  names: FakeNames;
  database: Database;
  execRoot: string;
  /** Milliseconds; the quarantine of addresses follows it. */
  clock: { now: number };
  /** What the stacks logged, message and fields. */
  logged: [string, LogFields | undefined][];
  /** Places of the host ports that are held now. */
  held: Set<string>;
  open(config?: Partial<NetworkConfig>): HostNetworkStack;
  /** Opened and recovered. */
  start(live?: string[], config?: Partial<NetworkConfig>): Promise<HostNetworkStack>;
  remove(): void;
}

/** Makes a host whose default bridge is 10.213.0.1/24 where nothing else is said. */
export function fakeHost(): FakeHost {
  const execRoot = mkdtempSync(join(tmpdir(), 'wharf-net-'));
  const logged: FakeHost['logged'] = [];
  const note = (message: string, fields?: LogFields) => void logged.push([message, fields]);
  const log: Logger = { ...silentLog, warn: note, info: note };
  const held = new Set<string>();
  const host: FakeHost = {
    kernel: leavePins(new FakeKernel(), join(execRoot, 'netns')),
    firewall: new FakeFirewall(),
    names: new FakeNames(),
    database: openMemoryDatabase(),
    execRoot,
    clock: { now: 0 },
    logged,
    held,
    open: (config = {}) =>
      openNetworkStack({
        database: host.database,
        execRoot,
        log,
        config: { bip: '10.213.0.1/24', readySandboxes: 0, ...config },
        kernel: host.kernel,
        firewall: host.firewall,
        names: host.names,
        ports: fakePorts(held, log),
        clock: { monotonic: () => host.clock.now },
      }),
    async start(live = [], config = {}) {
      const stack = host.open(config);
      await stack.recover(new Set(live));
      return stack;
    },
    remove() {
      host.database[Symbol.dispose]();
      rmSync(execRoot, { recursive: true });
    },
  };
  return host;
}

/** Real books of ports over sockets that are only noted. A new daemon's begin empty, as sockets go with their process. */
function fakePorts(held: Set<string>, log: Logger): Ports {
  held.clear();
  return openPorts({
    log,
    ipv6: true,
    range: [32768, 60999],
    forget: () => 0,
    hold: ({ protocol, hostIp, hostPort }) => {
      const place = `${hostIp}:${hostPort}/${protocol}`;
      held.add(place);
      return { retarget() {}, close: () => void held.delete(place) };
    },
  });
}

/** Leaves a file for each pin, so that a directory of pins can be looked at. */
function leavePins(kernel: FakeKernel, dir: string): FakeKernel {
  const { namespaces } = kernel;
  const plain = { create: namespaces.create, drop: namespaces.drop };
  namespaces.create = (pin) => {
    plain.create.call(namespaces, pin);
    mkdirSync(dir, { recursive: true });
    writeFileSync(pin, '');
  };
  namespaces.drop = (pin) => {
    plain.drop.call(namespaces, pin);
    rmSync(join(dir, basename(pin)), { force: true });
  };
  return kernel;
}
