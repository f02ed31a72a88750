import { closeSync, openSync, readFileSync, statfsSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Bench } from './parts.ts';
import type { DataSite } from './site.ts';

const LOG_BYTES = 10 * 2 ** 30;
const PIECE_LINES = 20_000;
const TAIL = 100;

/** A line as the engine's own monitor writes it, by what the log holds already. */
function encoder(path: string): (time: string, text: string) => string {
  if (readFileSync(path, 'utf8').startsWith('{'))
    return (time, text) => `${JSON.stringify({ log: `${text}\n`, stream: 'stdout', time })}\n`;
  return (time, text) => `${time.replace('Z', '+00:00')} stdout F ${text}\n`;
}

/** Goes on in the log of a container that has ended until it has 10 GiB: a container would take minutes to print that much. */
function fill(path: string): void {
  const line = encoder(path);
  const text = 'GET /index.html 200 '.padEnd(100, 'x');
  const file = openSync(path, 'a');
  const begin = Date.now() - 86_400_000;
  for (let written = 0, at = 0; written < LOG_BYTES; ) {
    let piece = '';
    for (let end = at + PIECE_LINES; at < end; at++) {
      const time = new Date(begin + Math.floor(at / 2)).toISOString().replace('Z', '000000Z');
      piece += line(time, `${at} ${text}`);
    }
    written += writeSync(file, piece);
  }
  closeSync(file);
}

function filledContainer(site: DataSite): string {
  const name = site.fresh('log');
  const options = ['--log-driver', 'json-file', '--log-opt', 'max-size=100g'];
  const label = ['--label', `wharf-bench=${site.mark}`];
  site.run('run', '--name', name, ...label, ...options, 'busybox', 'echo', 'first');
  const path = site.run('inspect', '-f', '{{.LogPath}}', name);
  const { bavail, bsize } = statfsSync(dirname(path));
  if (bavail * bsize < 2 * LOG_BYTES) throw new Error(`too little room for a log of 10 GiB at ${path}`);
  fill(path);
  return name;
}

/** `logs --tail 100` of a log of 10 GiB that was never rotated. */
export async function measureTail({ table, sites }: Bench): Promise<void> {
  const hosts = [...new Map(sites.map((site) => [site.subject.host, site])).values()];
  const names = new Map(hosts.map((site) => [site.subject.host, filledContainer(site)]));
  const nameOn = (site: DataSite) => names.get(site.subject.host) as string;
  await table.measure(
    `ms of logs --tail ${TAIL} of 10 GiB`,
    sites.map((site) => ({
      who: site.name,
      sample: () => site.time('logs', '--tail', String(TAIL), nameOn(site)),
    })),
  );
  const query = `stdout=1&stderr=1&tail=${TAIL}`;
  await table.measure(
    `ms of logs --tail ${TAIL} of 10 GiB, a bare request`,
    hosts.map((site) => ({
      who: site.name.split(' → ')[1] ?? site.name,
      sample: () => site.get(`/v1.47/containers/${nameOn(site)}/logs?${query}`),
    })),
  );
  for (const site of hosts) site.clear();
}
