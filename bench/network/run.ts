/**
 * What networks cost: `npm run bench:network -- [--rounds N] [--only TEXT] [--record]`. What it measures is told in
 * bench/README.md. It asserts no time. REFERENCE_HOST (a DOCKER_HOST) names an engine to compare with, `--alone` leaves Wharf
 * out; iperf3 and dnsperf must be installed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { TestDaemon } from '../../tests/e2e/support/index.ts';
import { RoundTable } from '../rounds.ts';
import { engineSubjects } from '../subjects.ts';
import { dnsperf } from './dns.ts';
import { IPERF_PORT, IperfServer, iperf } from './iperf.ts';
import { measureManyPorts, measureOneMore } from './ports.ts';
import { missingPrograms, Site } from './site.ts';

const SECONDS = 3;
/** Questions a second for which the times of answers are compared: what either engine answers with ease. */
const CALM_RATE = 2000;

const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    only: { type: 'string', default: '' },
    record: { type: 'boolean', default: false },
    alone: { type: 'boolean', default: false },
  },
});
const rounds = Number(given.rounds);
const table = new RoundTable(rounds);
const notes: string[] = [];

/** `run --rm … true` on none and on networks, one after the other, and what they add to none. */
async function measureAttach(sites: Site[]): Promise<void> {
  const added = sites.map(() => ({ bridge: [] as number[], user: [] as number[] }));
  await table.measure(
    'ms of run --rm --net none',
    sites.map((site, at) => ({
      who: site.name,
      sample: () => {
        const run = (net: string) => site.time('run', '--rm', '--net', net, 'busybox', 'true');
        const none = run('none');
        added[at]?.bridge.push(run('bridge') - none);
        added[at]?.user.push(run(site.network) - none);
        return none;
      },
    })),
  );
  // A ratio of differences near nothing would say nothing. The first round does not count.
  for (const [title, of] of [
    ['the default bridge', 'bridge'],
    ['a network of the user', 'user'],
  ] as const)
    for (const [at, { name }] of sites.entries())
      table.add(`ms that ${title} adds to it`, name, added[at]?.[of].slice(1) ?? []);
}

async function measureThroughput(sites: Site[]): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const works = [];
  for (const [at, site] of sites.entries()) {
    const port = 21_900 + at;
    const server = site.start('server', '--net', site.network, '-p', `${port}:${IPERF_PORT}`);
    const client = site.start('client', '--net', site.network);
    stack.defer(() => site.remove(server.name, client.name));
    stack.use(await IperfServer.start(server.pid));
    works.push({ who: site.name, port, server, client, hostPid: site.pid });
  }
  await table.measure(
    'Gbit/s between two containers of one network',
    works.map(({ who, server, client }) => ({
      who,
      sample: () => iperf({ address: server.address, port: IPERF_PORT }, SECONDS, client.pid),
    })),
    true,
  );
  // The sender's congestion control matters more than the way: the host's own, and the one that Linux comes with.
  const own = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim();
  for (const congestion of new Set([own, 'cubic']))
    await table.measure(
      `Gbit/s from the host to a published port by 127.0.0.1 (${congestion})`,
      works.map(({ who, port, hostPid }) => ({
        who,
        sample: () => iperf({ address: '127.0.0.1', port }, SECONDS, hostPid, congestion),
      })),
      true,
    );
}

async function measureNames(sites: Site[], folder: string): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const works = sites.map((site) => {
    const asked = site.start('asked', '--net', site.network);
    const asking = site.start('asking', '--net', site.network);
    stack.defer(() => site.remove(asked.name, asking.name));
    const file = join(folder, `questions-${site.mark}`);
    writeFileSync(file, `${asked.name} A\n`);
    return { who: site.name, pid: asking.pid, file };
  });
  await table.measure(
    'questions for a container answered a second',
    works.map(({ who, pid, file }) => ({
      who,
      sample: async () => (await dnsperf(pid, file, SECONDS)).queriesPerSecond,
    })),
    true,
  );
  await table.measure(
    `ms until 99 % of answers, at ${CALM_RATE} questions a second`,
    works.map(({ who, pid, file }) => ({
      who,
      sample: async () => (await dnsperf(pid, file, SECONDS, CALM_RATE)).p99,
    })),
  );
}

const missing = missingPrograms('iperf3', 'dnsperf', 'nsenter');
if (missing.length > 0)
  throw new Error(`not installed: ${missing.join(', ')} (apt-get install ${missing.join(' ')})`);

// In a network of its own: a reference engine on this machine drops what it does not know, even between ports of one bridge.
const OWN_HOST = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"'];

const daemon = new TestDaemon({ launcher: OWN_HOST });
const date = new Date().toISOString();
const load = loadavg()[0] ?? 0;
const sites: Site[] = [];
try {
  if (!given.alone) await daemon.start();
  const subjects = engineSubjects(daemon, process.env['REFERENCE_HOST'] || undefined);
  const reference = subjects.filter(({ host }) => host !== daemon.host);
  const own = given.alone ? [] : subjects.filter(({ host }) => host === daemon.host).slice(0, 1);
  for (const subject of reference) sites.push(new Site(subject));
  for (const subject of own) sites.push(new Site(subject, daemon.pid));
  const parts: [string, () => Promise<void>][] = [
    ['attach', () => measureAttach(sites)],
    ['throughput', () => measureThroughput(sites)],
    ['names', () => measureNames(sites, daemon.temporary)],
    ['many', async () => measureManyPorts(table, sites)],
    ['more', async () => void notes.push(...measureOneMore(table, sites.slice(-1), rounds))],
  ];
  for (const [name, part] of parts.filter(([name]) => name.startsWith(given.only)))
    await part().catch((thrown: unknown) => {
      notes.push(`Not measured to its end: ${name}: ${String(thrown)}`);
      console.error(thrown);
    });
  const text = [
    `Measured ${date}: ${cpus().length} processors, kernel ${release()}, load at the start ${load.toFixed(2)}; ${rounds} rounds.`,
    '',
    '| what | who | median (quartiles) | better than the first |',
    '|---|---|---|---|',
    ...table.lines(),
    '',
    ...notes.map((note) => `- ${note}`),
    '',
  ].join('\n');
  if (given.record)
    writeFileSync(
      join(import.meta.dirname, '../NETWORK.md'),
      `# What networks cost\n\nHow to read it: README.md.\n\n${text}`,
    );
  console.log(text);
} finally {
  for (const site of sites) site.dispose();
  await daemon.dispose();
}
