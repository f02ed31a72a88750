import assert from 'node:assert/strict';
import {
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Plan } from '../../src/api/index.ts';
import { needsOwnDaemon, useDaemon } from './support/index.ts';

describe("the client's way with data", { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const here = (name: string) => join(engine.temporary, name);
  /** Runs the client, and gives what it printed. */
  const wharf = async (...args: string[]) => {
    const { code, stdout, stderr } = await engine.wharf(...args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const plan = async (...args: string[]) =>
    JSON.parse((await engine.wharf(...args, '--dry-run', '--format', 'json')).stdout) as Plan;

  before(async () => {
    const script = 'mkdir -p /w/d; echo a > /w/a; ln -s a /w/l; ln -s d /w/ld; echo v > /data/v; sleep 1000';
    await engine.ok('run', '-d', '--name', 'web', '-v', 'data:/data', 'busybox', 'sh', '-c', script);
    const ready = async () => (await engine.wharf('cp', 'web:/data/v', here('probe'))).code === 0;
    while (!(await ready()));
  });

  it('a tree goes in and comes back as it was', async () => {
    mkdirSync(here('tree/sub'), { recursive: true });
    writeFileSync(here('tree/big'), Buffer.alloc(3_000_000, 'wharf'));
    writeFileSync(here('tree/mode'), 'x', { mode: 0o640 });
    chownSync(here('tree/mode'), 1234, 4321);
    linkSync(here('tree/big'), here('tree/sub/same'));
    symlinkSync('../mode', here('tree/sub/link'));
    await wharf('cp', here('tree'), 'web:/new');
    assert.equal(await engine.ok('exec', 'web', 'stat', '-c', '%a %u %g', '/new/mode'), '640 1234 4321');
    await wharf('cp', 'web:/new', here('back'));
    assert.deepEqual(readFileSync(here('back/big')), readFileSync(here('tree/big')));
    assert.equal(statSync(here('back/sub/same')).ino, statSync(here('back/big')).ino);
    assert.equal(readlinkSync(here('back/sub/link')), '../mode');
    assert.equal(statSync(here('back/mode')).uid, process.geteuid?.());
    await wharf('cp', '-a', 'web:/new', here('kept'));
    assert.deepEqual([statSync(here('kept/mode')).uid, statSync(here('kept/mode')).gid], [1234, 4321]);
  });

  it('links are copied as links, and followed with -L; contents without their folder; through a pipe', async () => {
    mkdirSync(here('links'));
    await wharf('cp', 'web:/w/l', here('links'));
    assert.equal(readlinkSync(here('links/l')), 'a');
    await wharf('cp', '-L', 'web:/w/l', here('links/followed'));
    assert.equal(readFileSync(here('links/followed'), 'utf8'), 'a\n');
    await wharf('cp', 'web:/w/.', here('contents'));
    assert.deepEqual(readdirSync(here('contents')), ['a', 'd', 'l', 'ld']);
    assert.match(await wharf('cp', 'web:/w/a', '-'), /^a\0/);
    const missing = await engine.wharf('cp', 'web:/none', here('x'));
    assert.deepEqual(
      [missing.code, missing.stderr],
      [1, 'Error response from daemon: Could not find the file /none in container web\n'],
    );
  });

  it('the same changes make the same image at a given time; an export has all of the files', async () => {
    const commit = () =>
      wharf('commit', '--timestamp', '2026-01-01T00:00:00Z', '-c', 'ENV A=1', 'web', 'site:1');
    assert.equal(await commit(), await commit());
    assert.equal(await engine.ok('run', '--rm', 'site:1', 'sh', '-c', 'echo $A; cat /w/a'), '1\na');
    await wharf('export', '-o', here('all.tar'), 'web');
    assert.equal(statSync(here('all.tar')).mode & 0o777, 0o600);
    assert.ok(readFileSync(here('all.tar')).includes('w/ld'));
    assert.match(await wharf('diff', 'web'), /^A \/w\/a$/m);
  });

  it('who uses a volume is told, and what a removal would take, before it is done', async () => {
    const usage = JSON.parse(await wharf('volume', 'inspect', '--usage', '-f', 'json', 'data')) as {
      UsageData: { Size: number; RefCount: number };
      Users: string[];
    }[];
    const id = await engine.ok('inspect', '-f', '{{.Id}}', 'web');
    assert.deepEqual([usage[0]?.UsageData.RefCount, usage[0]?.Users], [1, [id]]);
    assert.ok((usage[0]?.UsageData.Size ?? 0) >= 4096);
    const kept = await plan('volume', 'rm', 'data');
    assert.match(kept.Items[0]?.Reason ?? '', /volume is in use/);
    await wharf('volume', 'create', 'spare');
    const spare = await plan('volume', 'prune', '-a');
    assert.deepEqual(
      spare.Items.map(({ Name }) => Name),
      ['spare'],
    );
    assert.match(
      await wharf('volume', 'prune', '-af'),
      /^Deleted Volumes:\nspare\n\nTotal reclaimed space: /,
    );
    const removal = await plan('rm', '-f', 'web');
    assert.deepEqual(
      removal.Items.map(({ Kind, Name }) => [Kind, Name]),
      [['container', 'web']],
    );
    assert.ok(removal.Bytes > 3_000_000);
    assert.equal(await wharf('ps', '-q', '--filter', 'name=web'), `${id.slice(0, 12)}\n`);
  });

  it('the same words at a terminal tell bytes and a total', async () => {
    const { stdout, code } = await engine.wharf('system', 'prune', '-a', '--dry-run');
    assert.equal(code, 0);
    assert.match(stdout, /^KIND {2,}ID {2,}NAME {2,}SIZE\n(?:\w+ .*\n)+Total: \S+ would be freed\./);
  });
});
