import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Logger, silentLog } from '../base/index.ts';
import { diskProbe, FullDiskWatch } from './full-disk.ts';
import { LogFolder } from './log-file.cases.ts';

const MUCH = 1024 * 1024 * 1024;

/** A disk and a monitor that do as they are told. */
class Disk {
  free = MUCH;
  read = 0;
  room = () => this.free;
  bytesRead = () => this.read;
}

function watched(log: LogFolder, disk: Disk) {
  const told: string[] = [];
  const logger: Logger = { ...silentLog, warn: (text) => void told.push(text) };
  const watch = new FullDiskWatch(log.path, disk, logger);
  let size = 0;
  return {
    told,
    watch,
    /** The container prints lines; those from `kept` on find no room. */
    print(lines: string[], kept = lines.length) {
      for (const [at, line] of lines.entries()) {
        disk.read += line.length + 1;
        if (at >= kept) continue;
        const record = log.record(line);
        log.append(record);
        size += record.length;
      }
    },
    look: () => watch.look(size),
  };
}

const LINES = Array.from({ length: 100 }, (_, at) => `line number ${at}`);
const bytesOf = (lines: string[]) => lines.reduce((sum, line) => sum + line.length + 1, 0);

describe('a full disk', () => {
  it('is told when it begins and when it ends, and what is missing is counted', () => {
    using log = new LogFolder();
    const disk = new Disk();
    const { print, look, watch, told } = watched(log, disk);
    print(LINES);
    assert.equal(look(), false);
    print(LINES, 30);
    disk.free = 0;
    assert.equal(look(), true, 'one must look again: nobody tells when there is room');
    print(LINES, 0);
    assert.equal(look(), true);
    disk.free = MUCH;
    print(['after']);
    assert.equal(look(), false);
    assert.equal(watch.loss.bytes, bytesOf(LINES.slice(30)) + bytesOf(LINES));
    assert.deepEqual(told, [
      'the disk is full: what a container prints is lost until there is room',
      'there is room on the disk again',
    ]);
  });

  it('that took nothing counts nothing', () => {
    using log = new LogFolder();
    const disk = new Disk();
    const { print, look, watch } = watched(log, disk);
    print(LINES);
    look();
    disk.free = 1000;
    look();
    print(LINES);
    disk.free = MUCH;
    look();
    assert.equal(watch.loss.bytes, 0);
  });

  it('twice counts both', () => {
    using log = new LogFolder();
    const disk = new Disk();
    const { print, look, watch } = watched(log, disk);
    for (let round = 1; round <= 2; round++) {
      disk.free = MUCH;
      look();
      print(LINES);
      look();
      look();
      disk.free = 0;
      look();
      print(LINES, 50);
      look();
      disk.free = MUCH;
      look();
      assert.equal(watch.loss.bytes, round * bytesOf(LINES.slice(50)));
    }
  });

  it('of a monitor that has ended is no concern any more', () => {
    using log = new LogFolder();
    const disk = new Disk();
    const { look } = watched(log, disk);
    disk.free = 0;
    assert.equal(look(), true);
    disk.bytesRead = () => {
      throw new Error('no such process');
    };
    assert.equal(look(), false);
  });

  it('is looked for where the log is, and its monitor by its pid', () => {
    using log = new LogFolder();
    log.write('');
    const probe = diskProbe(log.path, process.pid);
    assert.ok(probe.room() > 0);
    assert.ok(probe.bytesRead() > 0);
    assert.throws(() => diskProbe(log.path, 2 ** 22 + 1).bytesRead());
  });
});
