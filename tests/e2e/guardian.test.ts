import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { lacksFilesystem } from './support/filesystem-lab.ts';
import { eventually, execute, needsOwnDaemon, ROOT, Session } from './support/index.ts';

/** What tests make outside of their process: a filesystem, a daemon with a network and a container, a namespace. */
const PROGRAM = `
  import { FilesystemLab } from '${ROOT}/tests/e2e/support/filesystem-lab.ts';
  import { TestDaemon } from '${ROOT}/tests/e2e/support/index.ts';
  import { NeighbourLab } from '${ROOT}/tests/e2e/support/neighbour-lab.ts';
  const lab = new FilesystemLab('ext4', 100 << 20);
  lab.build();
  const net = new NeighbourLab();
  await net.build();
  const engine = new TestDaemon({ dataRoot: lab.dataRoot });
  await engine.start();
  const network = await engine.ok('network', 'create', 'own');
  await engine.ok('run', '-d', '--network', 'own', '-v', '/data', 'busybox', 'sleep', '600');
  const { dataRoot, execRoot, temporary, bridge, nftTable, cgroupParent, pid } = engine;
  const bridges = [bridge, 'wh-' + network.slice(0, 12)];
  console.log(JSON.stringify({ dataRoot, execRoot, temporary, bridges, nftTable, cgroupParent, pid, netns: net.host }));
  setInterval(() => undefined, 1000);
`;

interface Made {
  dataRoot: string;
  execRoot: string;
  temporary: string;
  bridges: string[];
  nftTable: string;
  cgroupParent: string;
  pid: number;
  netns: string;
}

/** Where this machine shows what was made; nothing when all of it is gone. */
async function traces(made: Made): Promise<string[]> {
  const [links, tables, spaces, loops] = await Promise.all([
    execute('ip', ['-o', 'link', 'show']),
    execute('nft', ['list', 'tables']),
    execute('ip', ['netns', 'list']),
    execute('losetup', ['--noheadings', '--output', 'BACK-FILE']),
  ]);
  const disk = join(made.dataRoot, '../..');
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  return [
    ...made.bridges.filter((bridge) => links.stdout.includes(bridge)),
    ...[made.nftTable].filter((name) => tables.stdout.includes(name)),
    ...[made.netns].filter((name) => spaces.stdout.includes(name)),
    ...[disk].filter((path) => loops.stdout.includes(path)),
    ...[made.execRoot, made.temporary, disk, `/proc/${made.pid}`].filter((path) => existsSync(path)),
    ...[made.execRoot, disk].filter((path) => mounts.includes(path)).map((path) => `mount ${path}`),
    ...readdirSync('/sys/fs/cgroup')
      .map((hierarchy) => join('/sys/fs/cgroup', hierarchy, made.cgroupParent))
      .filter((path) => existsSync(path)),
  ];
}

describe('what tests make outside of their process', {
  skip: needsOwnDaemon || lacksFilesystem('ext4'),
}, () => {
  it('is taken away when the process is killed', async () => {
    const test = new Session(process.execPath, ['--input-type=module', '--eval', PROGRAM]);
    const line = await eventually(
      async () => test.stdout || (test.child.exitCode !== null && test.stderr),
      Boolean,
      'everything is there',
      30_000,
    );
    const made = JSON.parse(String(line)) as Made;
    assert.ok((await traces(made)).length >= 10, 'all of it can be seen');
    test.kill('SIGKILL');
    await test.exited;
    await eventually(
      () => traces(made),
      (left) => left.length === 0,
      'nothing is left',
      20_000,
    );
  });
});
