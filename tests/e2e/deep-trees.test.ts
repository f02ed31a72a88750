import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually, needsOwnDaemon, useDaemon } from './support/index.ts';

/** Trees deeper than any path, in the container and in its volume: made of pieces that are moved into one another. */
const DEEP = `set -e
c=d; i=1; while [ $i -lt 500 ]; do c=$c/d; i=$((i+1)); done
for top in /tree /vol/tree; do
  mkdir $top; echo x > $top/file
  for n in 1 2 3 4 5 6 7 8 9 10; do mkdir -p $top.new/$c; mv $top $top.new/$c/tree; mv $top.new $top; done
done
long=$(printf %0255d 1); echo long > /$long; echo long > /vol/$long
! touch /$(printf %0300d 1) 2> /dev/null`;
const FOLDERS = 5000;

describe('folders deeper than any path that a container made', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const here = mkdtempSync(join(tmpdir(), 'wharf-deep-'));
  before(async () => {
    await engine.ok('run', '--name', 'deep', '-v', 'deepvol:/vol', 'busybox', 'sh', '-c', DEEP);
  });
  after(() => {
    rmSync(here, { recursive: true, force: true });
  });

  it('are all in diff, with their names as they are', async () => {
    const lines = (await engine.ok('diff', 'deep')).split('\n');
    assert.ok(lines.includes(`A /${'1'.padStart(255, '0')}`));
    const deepest = lines.reduce((most, line) => Math.max(most, line.split('/').length), 0);
    assert.ok(deepest > FOLDERS, String(deepest));
  });

  it('are counted as du counts them', async () => {
    const { text } = await engine.api('GET', '/system/df');
    const { Volumes } = JSON.parse(text) as { Volumes: { UsageData: { Size: number } }[] };
    const du = execFileSync('du', ['-sxB1', join(engine.dataRoot, 'volumes/deepvol')], { encoding: 'utf8' });
    assert.equal(Volumes[0]?.UsageData.Size, Number.parseInt(du, 10));
    assert.ok(Number.parseInt(du, 10) > FOLDERS * 4096);
  });

  it('are no part of an image or an archive, which is told, and leave nothing there', async () => {
    const commit = await engine.docker('commit', 'deep', 'deep-image');
    assert.notEqual(commit.code, 0);
    assert.match(commit.stderr, /name too long|more than 4096 bytes/);
    assert.deepEqual(readdirSync(join(engine.dataRoot, 'content/ingest')), []);
    for (const path of ['/tree', '/vol/tree'])
      assert.notEqual((await engine.docker('cp', `deep:${path}`, join(here, 'out'))).code, 0);
    assert.notEqual((await engine.wharf('export', '-o', join(here, 'tar'), 'deep')).code, 0);
    assert.ok(!existsSync(join(here, 'tar')));
    await engine.ok('cp', `deep:/${'1'.padStart(255, '0')}`, join(here, 'long'));
    assert.ok(existsSync(join(here, 'long')));
  });

  it('go with the container and the volume', async () => {
    await engine.ok('rm', 'deep');
    await engine.ok('volume', 'rm', 'deepvol');
    assert.deepEqual(readdirSync(join(engine.dataRoot, 'volumes')), []);
    const trash = () => readdirSync(join(engine.dataRoot, 'overlay/trash'));
    await eventually(trash, (names) => names.length === 0, 'the files of the container are gone');
    const { code, stdout, stderr } = await engine.wharf('doctor', '--verify');
    assert.equal(code, 0, stdout + stderr);
  });
});
