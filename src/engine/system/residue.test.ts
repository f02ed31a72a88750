import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ContainerRecord } from '../containers/record.ts';
import { checkResidue, looseLoops } from './residue.ts';

const container = (id: string, volume: string) =>
  ({ id, mounts: [{ Type: 'volume', Name: volume }] }) as unknown as ContainerRecord;

const residue = (mountPoints: string[], loops: string[] = []) =>
  checkResidue(
    {
      containers: () => [container('up', 'used'), container('down', 'idle')],
      mountPoints: () => mountPoints,
      looseLoops: () => loops,
      paths: { volumes: '/data/volumes', subpaths: '/run/subpaths' },
    },
    new Set(['up']),
  );

test('mounts that running containers have are in order, and so are those of others than us', () => {
  const points = [
    '/',
    '/data',
    '/data/volumes',
    '/data/volumes/used/_data',
    '/run/subpaths/up/0',
    '/data/volumesque/x/_data',
  ];
  assert.deepEqual(residue(points), []);
});

test('mounts of volumes and subpaths that nobody has are told', () => {
  assert.deepEqual(
    residue(['/data/volumes/idle/_data', '/data/volumes/gone/_data', '/run/subpaths/down/1']),
    [
      '/data/volumes/idle/_data is mounted, but no running container has volume idle',
      '/data/volumes/gone/_data is mounted, but no running container has volume gone',
      '/run/subpaths/down/1 is mounted, but container down does not run',
    ],
  );
});

test('loop devices are told when their file is ours and nothing is mounted from them', () => {
  const sys = mkdtempSync(join(tmpdir(), 'wharf-loops-'));
  try {
    const files = {
      loop0: '/data/volumes/a/disk.ext4',
      loop1: '/data/volumes/b/disk.ext4',
      loop2: '/other',
      sda: '/data/x',
    };
    for (const [name, file] of Object.entries(files)) {
      mkdirSync(join(sys, name, 'loop'), { recursive: true });
      writeFileSync(join(sys, name, 'loop/backing_file'), `${file}\n`);
    }
    mkdirSync(join(sys, 'loop3'));
    const loose = looseLoops('/data', ['overlay', '/dev/loop0'], sys);
    assert.deepEqual(loose, ['/dev/loop1 has /data/volumes/b/disk.ext4']);
    assert.deepEqual(residue([], loose), [`${loose[0]}, but nothing is mounted from it`]);
    assert.deepEqual(looseLoops('/data', [], join(sys, 'none')), []);
  } finally {
    rmSync(sys, { recursive: true });
  }
});
