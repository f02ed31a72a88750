import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLog } from '../base/index.ts';
import { shutDownFilesystem, umountIfMounted } from '../sys/index.ts';
import { LocalDriver } from './local-driver.ts';
import { systemMounter, systemQuota } from './open.ts';
import type { VolumeRecord } from './types.ts';

const noExt4 = spawnSync('mkfs.ext4', ['-V']).error ? 'mkfs.ext4 is not installed' : false;

let folder: string;
let disk: string;
let driver: LocalDriver;

const mountDisk = () => execFileSync('mount', ['-o', 'loop', join(folder, 'image'), disk]);
/** What was not on the disk when the record was written is lost. */
const cutPower = () => shutDownFilesystem(disk, 'no-log-flush');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wharf-volume-cut-'));
  disk = join(folder, 'disk');
  mkdirSync(disk);
  writeFileSync(join(folder, 'image'), '');
  truncateSync(join(folder, 'image'), 20 << 20);
  execFileSync('mkfs.ext4', ['-q', '-F', join(folder, 'image')]);
  mountDisk();
  const root = join(disk, 'volumes');
  driver = new LocalDriver({
    ...{ root, log: silentLog, mounter: systemMounter, quota: systemQuota },
    resolve: async () => '192.0.2.7',
  });
});
afterEach(() => {
  umountIfMounted(disk, { detach: true });
  rmSync(folder, { recursive: true, force: true });
});

function powerReturns(): void {
  umountIfMounted(disk, {});
  mountDisk();
}

const volume = { name: 'data', driver: 'local', options: {}, labels: {} } as unknown as VolumeRecord;

describe('the power goes right after the record', { skip: noExt4 }, () => {
  it('of a new volume: its directory is there', async () => {
    await driver.create(volume, cutPower).catch(() => undefined);
    powerReturns();
    await driver.recover([volume], () => undefined);
    assert.ok(existsSync(driver.mountpoint(volume)));
  });

  it('of a removed volume was taken away: its directory has gone from under its name', async () => {
    await driver.create(volume, () => undefined);
    writeFileSync(join(driver.mountpoint(volume), 'file'), 'x');
    execFileSync('sync', ['--file-system', disk]);
    await driver.remove(volume, cutPower).catch(() => undefined);
    powerReturns();
    assert.ok(!existsSync(driver.mountpoint(volume)), String(readdirSync(join(disk, 'volumes'))));
  });
});
