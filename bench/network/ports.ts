import { readFileSync } from 'node:fs';
import type { RoundTable } from '../rounds.ts';
import type { Site } from './site.ts';

const FIRST_PORT = 20_000;
const PORTS = 1000;
/** Containers with so many ports each stand by while one more port is published. */
const CROWD = 5;
const MORE_PORT = 27_000;

/** How often a container with all its ports is started: it takes a reference engine up to a minute. */
const MANY_ROUNDS = 2;

const range = (at: number) => {
  const first = FIRST_PORT + at * PORTS;
  return `${first}-${first + PORTS - 1}:${first}-${first + PORTS - 1}`;
};

/** Time and memory of many ports on one container. Sites take turns, as they may not have the same ports at once. */
export function measureManyPorts(table: RoundTable, sites: Site[]): void {
  const times: number[][] = sites.map(() => []);
  const added: number[][] = sites.map(() => []);
  for (let round = 0; round < MANY_ROUNDS; round++)
    for (const [at, site] of sites.entries()) {
      const before = site.memory();
      times[at]?.push(site.time(...site.runArgs('many', '-p', range(0))));
      added[at]?.push((site.memory() - before) / 2 ** 20);
      site.remove(site.named('many'));
    }
  for (const [at, site] of sites.entries()) {
    const base = <T>(all: T[]) => (at > 0 ? all[0] : undefined);
    table.add(`ms of run -d with ${PORTS} ports`, site.name, times[at] ?? [], base(times));
    table.add(`MiB (PSS) that the engine needs for ${PORTS} ports`, site.name, added[at] ?? [], base(added));
  }
}

/** The start of a container with one port, among none and among the ports of a crowd. */
export function measureOneMore(table: RoundTable, sites: Site[], rounds: number): string[] {
  const notes: string[] = [];
  for (const site of sites) {
    const sample = () => {
      const took = site.time(...site.runArgs('more', '-p', `${MORE_PORT}:80`));
      site.remove(site.named('more'));
      return took;
    };
    const samples = (count: number) => Array.from({ length: count }, sample);
    samples(2);
    // Half of the samples before the crowd and half after it, so that drift counts on both sides.
    const alone = samples(Math.ceil(rounds / 2));
    const crowd = standBy(site, notes);
    sample();
    const among = samples(rounds);
    site.remove(...crowd);
    sample();
    alone.push(...samples(Math.floor(rounds / 2)));
    table.add('ms of run -d with one port, no other published', site.name, alone);
    const count = crowd.length * PORTS;
    table.add(`ms of run -d with one port among ${count} (compared with none)`, site.name, among, alone);
  }
  return notes;
}

/** Starts containers with many ports as far as memory reaches; their names. */
function standBy(site: Site, notes: string[]): string[] {
  const names: string[] = [];
  let most = 0;
  for (let at = 0; at < CROWD; at++) {
    const free = availableMemory();
    if (2 * most > free) {
      notes.push(`${site.name}: no memory for more than ${names.length * PORTS} ports.`);
      break;
    }
    site.run(...site.runArgs(`crowd${at}`, '-p', range(at)));
    names.push(site.named(`crowd${at}`));
    most = Math.max(most, free - availableMemory());
  }
  return names;
}

function availableMemory(): number {
  return Number(/^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
}
