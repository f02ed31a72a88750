/**
 * How fast images move: `npm run bench:images -- [--rounds N] [--record]`. What it measures is told in bench/README.md. It
 * asserts no time. REFERENCE_HOST (a DOCKER_HOST) names an engine to compare with; `docker-registry` must be installed.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type TarInput, writeTar } from '../../src/archive/index.ts';
import {
  type OciImage,
  ociImage,
  ociVariants,
  type RegistryKind,
  TestDaemon,
  TestRegistry,
} from '../../tests/e2e/support/index.ts';
import { RoundTable } from '../rounds.ts';
import { command, engineSubjects, type Subject, timed } from '../subjects.ts';
import { manyPushes } from './many-pushes.ts';
import { sampleTars } from './sample-image.ts';
import { BareClient, requestRate } from './transfer.ts';

const MANY = { count: 64, bytes: 100 << 20 };
const KINDS: readonly RegistryKind[] = ['docker-registry', 'wharf'];
const RATE = { connections: 16, requests: 20_000 };

const { values: given } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, record: { type: 'boolean', default: false } },
});
const rounds = Number(given.rounds);
const table = new RoundTable(rounds);

const clock = async (work: () => Promise<unknown>): Promise<number> => {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
};

/** The clients that pull and push: one of each engine. */
function clients(daemon: TestDaemon): Subject[] {
  const all = engineSubjects(daemon, process.env['REFERENCE_HOST'] || undefined);
  return all.filter(({ name }) => !name.startsWith('wharf →') || all.length === 1);
}

/**
 * Pulls of images that the engine has nothing of, another one each round: nothing is removed before the end, since a filesystem
 * is slower where much was just removed.
 */
async function measurePulls(subjects: Subject[], server: TestRegistry, tars: Buffer[]): Promise<void> {
  using client = new BareClient(server.address);
  for (const kind of ['gzip', 'zstd'] as const) {
    // Of other content than those of the other kind: layers that are here already are not unpacked again.
    const heads = await tarHeads(rounds + 1, kind);
    let at = 0;
    for (const image of ociVariants(tars, kind, heads)) await client.push(`bench/${kind}`, image, `v${at++}`);
    const works = subjects.map((subject) => {
      let round = 0;
      const [file = '', ...first] = subject.command;
      return {
        who: subject.name,
        sample: () =>
          timed(
            file,
            [...first, 'pull', '--quiet', `${server.address}/bench/${kind}:v${round++}`],
            subject.env,
          ),
      };
    });
    await table.measure(`pull of the ${kind} image from ${server.kind}`, works);
  }
  for (const subject of subjects) {
    const names = ['gzip', 'zstd'].flatMap((kind) =>
      Array.from({ length: rounds + 1 }, (_, at) => `${server.address}/bench/${kind}:v${at}`),
    );
    command(subject, 'rmi', ...names.filter((name) => !name.endsWith('/gzip:v0')));
  }
}

/** Single entries of a tar, each of another content. */
async function tarHeads(count: number, mark: string): Promise<Buffer[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const body = Buffer.from(`${mark}, round ${at}`);
      const entry: TarInput = { name: 'round', type: 'file', mode: 0o644, size: body.length, body };
      const chunks: Uint8Array[] = [];
      for await (const chunk of writeTar([entry])) chunks.push(chunk);
      // A header and a block of content, without the end of the archive.
      return Buffer.concat(chunks).subarray(0, 1024);
    }),
  );
}

/** Where a push goes; ended after it if it was started for it. */
type Target = { address: string } & Partial<AsyncDisposable>;

/** A push through the engine into a repository that is new each time, so that nothing is there yet but what a registry shares. */
async function measureEnginePush(
  works: {
    subject: Subject;
    source: string;
    target: () => Promise<Target> | Target;
    title: string;
  }[],
): Promise<void> {
  await table.measure(
    'push of the gzip image by the engine to an empty registry',
    works.map(({ subject, source, target, title }) => ({
      who: title,
      sample: async () => {
        const server = await target();
        const name = `${server.address}/bench/${randomBytes(4).toString('hex')}:v1`;
        command(subject, 'tag', source, name);
        const [file = '', ...first] = subject.command;
        try {
          return timed(file, [...first, 'push', '--quiet', name], subject.env);
        } finally {
          command(subject, 'rmi', name);
          await server[Symbol.asyncDispose]?.();
        }
      },
    })),
  );
}

async function measureServers(image: OciImage): Promise<void> {
  // Fresh servers for each sample: a registry that has the blobs would skip work.
  await table.measure(
    'push of the gzip image by a bare client',
    KINDS.map((kind) => ({
      who: kind,
      sample: async () => {
        await using server = await TestRegistry.start(kind);
        using client = new BareClient(server.address);
        return await clock(() => client.push('bench/app', image, 'v1'));
      },
    })),
  );
  await using debian = await TestRegistry.start('docker-registry');
  await using wharf = await TestRegistry.start('wharf');
  const servers = [debian, wharf];
  const open = servers.map((server) => new BareClient(server.address));
  for (const client of open) await client.push('bench/app', image, 'v1');
  await table.measure(
    'pull of the gzip image by a bare client',
    open.map((client, at) => ({
      who: servers[at]?.kind as string,
      sample: () => clock(() => client.pull('bench/app', image, 'v1')),
    })),
  );
  for (const client of open) client[Symbol.dispose]();
  await table.measure(
    `requests of a manifest per second, ${RATE.connections} connections`,
    servers.map(({ kind, address }) => ({
      who: kind,
      sample: () =>
        requestRate(address, '/v2/bench/app/manifests/v1', { ...RATE, accept: image.manifest.mediaType }),
    })),
    true,
  );
}

async function measureMemory(): Promise<string[]> {
  const lines: string[] = [];
  for (const kind of KINDS) {
    await using server = await TestRegistry.start(kind);
    const found = await manyPushes(server, MANY.count, MANY.bytes);
    const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
    lines.push(
      `| ${kind} | ${mib(found.peakBytes)} | ${mib(found.highWaterBytes)} | ${(found.ms / 1000).toFixed(1)} |`,
    );
    console.error(`measured: memory of ${kind}`);
  }
  return lines;
}

const folder = mkdtempSync(join(tmpdir(), 'wharf-bench-images-'));
const own = { listen: '' };
const daemon = new TestDaemon({ busybox: false });
const date = new Date().toISOString();
const load = loadavg()[0] ?? 0;
try {
  const tars = sampleTars(folder);
  const images = { gzip: ociImage(tars, 'gzip'), zstd: ociImage(tars, 'zstd') };
  await using server = await TestRegistry.start('docker-registry');
  own.listen = `127.0.0.1:${Number(server.address.split(':')[1]) + 1}`;
  daemon.configure({ registry: { listen: own.listen } });
  await daemon.start();
  const subjects = clients(daemon);
  await measurePulls(subjects, server, tars);
  const source = `${server.address}/bench/gzip:v0`;
  const wharf = subjects.at(-1) as Subject;
  const ownRegistry = { address: own.listen };
  await measureEnginePush([
    ...subjects.map((subject) => ({
      subject,
      source,
      target: () => TestRegistry.start('docker-registry'),
      title: `${subject.name}, to docker-registry`,
    })),
    { subject: wharf, source, target: () => ownRegistry, title: `${wharf.name}, to its own registry` },
  ]);
  for (const subject of subjects) command(subject, 'rmi', source);
  await measureServers(images.gzip);
  const memory = await measureMemory();
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
  const sizes = (image: OciImage) => mib(image.layers.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const text = [
    `Measured ${date}: ${cpus().length} processors, kernel ${release()}, load at the start ${load.toFixed(2)}; ${rounds} rounds.`,
    `The image: ${tars.length} layers, ${mib(images.gzip.plainBytes)} MiB as plain tars, ${sizes(images.gzip)} MiB by gzip, ${sizes(images.zstd)} MiB by zstd.`,
    '',
    '| what | who | ms, or requests per second: median (quartiles) | better than the first |',
    '|---|---|---|---|',
    ...table.lines(),
    '',
    `Memory of a registry while ${MANY.count} clients push ${mib(MANY.bytes)} MiB each at once:`,
    '',
    '| who | largest PSS, MiB | largest RSS, MiB | seconds |',
    '|---|---|---|---|',
    ...memory,
    '',
  ].join('\n');
  if (given.record)
    writeFileSync(
      join(import.meta.dirname, '../IMAGES.md'),
      `# How fast images move\n\nHow to read it: README.md.\n\n${text}`,
    );
  console.log(text);
} finally {
  await daemon.dispose();
  rmSync(folder, { recursive: true, force: true });
}
