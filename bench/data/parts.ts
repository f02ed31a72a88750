import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RoundTable, Work } from '../rounds.ts';
import { writeBuild, writeNoise, writeSmallFiles } from './sample-files.ts';
import type { DataSite } from './site.ts';

/** What the parts of the benchmark share. */
export interface Bench {
  table: RoundTable;
  /** The engines with their clients; the first is whom the others are compared with. */
  sites: readonly DataSite[];
  /** For files of this machine; on the disk that the engines use, too. */
  folder: string;
}

const SMALL_FILES = 50_000;
const BIG_BYTES = 2 * 2 ** 30;
const BUILD_MEBIBYTES = 1024;
const SHARED_MEBIBYTES = 256;
const SHARED_FILES = 10_000;

/** What was written before a sample is on the disk when it begins, so that no one pays for another. */
function settled(sample: Work['sample']): Work['sample'] {
  return () => {
    execFileSync('sync');
    return sample();
  };
}

/** One engine once, though two clients may be on it: for what is measured without a client. */
function engines(sites: readonly DataSite[]): DataSite[] {
  return [...new Map(sites.map((site) => [site.subject.host, site])).values()];
}

const engineName = (site: DataSite) => site.name.split(' → ')[1] ?? site.name;

/** `cp` of one file of 2 GiB, both ways, by the clients and by bare requests. */
export async function measureBigCopy({ table, sites, folder }: Bench): Promise<void> {
  const big = writeNoise(join(folder, 'big'), BIG_BYTES);
  const out = join(folder, 'out');
  mkdirSync(out);
  const tar = join(folder, 'big.tar');
  execFileSync('tar', ['-C', folder, '-cf', tar, 'big']);
  const works = sites.map((site) => ({ site, who: site.name, name: site.create('big') }));
  const bare = engines(sites).map((site) => ({
    site,
    who: engineName(site),
    name: works.find((work) => work.site === site)?.name as string,
  }));
  const what = (way: string) => `ms of cp of a file of 2 GiB, ${way}`;
  await table.measure(
    what('in'),
    works.map(({ who, site, name }) => ({
      who,
      sample: settled(() => site.time('cp', '--quiet', big, `${name}:/big`)),
    })),
  );
  await table.measure(
    what('out'),
    works.map(({ who, site, name }) => ({
      who,
      sample: settled(() => {
        rmSync(join(out, 'big'), { force: true });
        return site.time('cp', '--quiet', `${name}:/big`, out);
      }),
    })),
  );
  await table.measure(
    what('in, a bare request'),
    bare.map(({ who, site, name }) => ({
      who,
      sample: settled(() => site.put(`/v1.47/containers/${name}/archive?path=/`, tar)),
    })),
  );
  await table.measure(
    what('out, a bare request'),
    bare.map(({ who, site, name }) => ({
      who,
      sample: settled(() => site.get(`/v1.47/containers/${name}/archive?path=/big`)),
    })),
  );
  for (const site of sites) site.clear();
  for (const path of [big, tar, out]) rmSync(path, { recursive: true });
}

/** `cp` of 50,000 small files, both ways, each time to where nothing is. */
export async function measureManyCopies({ table, sites, folder }: Bench): Promise<void> {
  const tree = writeSmallFiles(join(folder, 'tree'), SMALL_FILES);
  const filled = sites.map((site) => {
    const name = site.create('tree');
    site.run('cp', tree, `${name}:/tree`);
    return { who: site.name, site, name };
  });
  const tar = join(folder, 'tree.tar');
  execFileSync('tar', ['-C', folder, '-cf', tar, 'tree']);
  const what = (way: string) => `ms of cp of ${SMALL_FILES.toLocaleString('en')} small files, ${way}`;
  await table.measure(
    what('in'),
    sites.map((site) => ({
      who: site.name,
      sample: () => {
        const name = site.create('tree');
        execFileSync('sync');
        return site.time('cp', '--quiet', tree, `${name}:/tree`);
      },
    })),
  );
  await table.measure(
    what('in, a bare request'),
    engines(sites).map((site) => ({
      who: engineName(site),
      sample: () => {
        const name = site.create('tree');
        execFileSync('sync');
        return site.put(`/v1.47/containers/${name}/archive?path=/`, tar);
      },
    })),
  );
  let round = 0;
  await table.measure(
    what('out'),
    filled.map(({ who, site, name }) => ({
      who,
      sample: settled(() => site.time('cp', '--quiet', `${name}:/tree`, join(folder, `tree-out-${round++}`))),
    })),
  );
  await table.measure(
    what('out, a bare request'),
    engines(sites).map((site) => ({
      who: engineName(site),
      sample: settled(() =>
        site.get(`/v1.47/containers/${filled.find((work) => work.site === site)?.name}/archive?path=/tree`),
      ),
    })),
  );
  for (const site of sites) site.clear();
  for (let at = 0; at < round; at++) rmSync(join(folder, `tree-out-${at}`), { recursive: true });
  rmSync(tree, { recursive: true });
  rmSync(tar);
}

/** `commit` and `export` of a container that has written 1 GiB in 1,024 files. */
export async function measureLayers({ table, sites, folder }: Bench): Promise<void> {
  const build = writeBuild(join(folder, 'build'), BUILD_MEBIBYTES);
  const works = sites.map((site) => {
    const name = site.create('build');
    site.run('cp', build, `${name}:/build`);
    return { who: site.name, site, name };
  });
  rmSync(build, { recursive: true });
  await table.measure(
    'ms of commit of 1 GiB',
    works.map(({ who, site, name }) => ({
      who,
      sample: () => {
        // Another layer each time: what is stored already must not be found again.
        const note = writeNoise(join(folder, 'note'), 100);
        site.run('cp', note, `${name}:/build/note`);
        execFileSync('sync');
        return site.time('commit', name, site.image('committed'));
      },
    })),
  );
  for (const site of sites) site.dropImages();
  await table.measure(
    'ms of export of 1 GiB',
    works.map(({ who, site, name }) => ({ who, sample: settled(() => site.time('export', name)) })),
  );
  await table.measure(
    'ms of export of 1 GiB, a bare request',
    engines(sites).map((site) => ({
      who: engineName(site),
      sample: settled(() =>
        site.get(`/v1.47/containers/${works.find((work) => work.site === site)?.name}/export`),
      ),
    })),
  );
  for (const site of sites) site.clear();
}

/** `create` with a new volume on a folder of the image that holds something: it is copied up. */
export async function measureCopyUp({ table, sites, folder }: Bench): Promise<void> {
  const works = sites.map((site) => {
    const tree = join(folder, `shared-${site.mark}`);
    writeSmallFiles(join(tree, 'many/data'), SHARED_FILES);
    writeBuild(join(tree, 'large/data'), SHARED_MEBIBYTES);
    const images = Object.fromEntries(
      ['many', 'large'].map((kind) => {
        const tar = `${tree}-${kind}.tar`;
        execFileSync('tar', ['-C', join(tree, kind), '-cf', tar, '.']);
        const image = site.image(kind);
        site.run('import', tar, image);
        rmSync(tar);
        return [kind, image];
      }),
    );
    rmSync(tree, { recursive: true });
    return { site, images };
  });
  const kinds = {
    many: `of ${SHARED_FILES.toLocaleString('en')} small files`,
    large: `of ${SHARED_MEBIBYTES} MiB`,
  };
  for (const [kind, title] of Object.entries(kinds))
    await table.measure(
      `ms of create with a volume, copy-up ${title}`,
      works.map(({ site, images }) => ({
        who: site.name,
        sample: settled(() => site.time(...site.createFlags, '-v', '/data', images[kind] as string, 'true')),
      })),
    );
  for (const site of sites) {
    site.clear();
    site.dropImages();
  }
}
