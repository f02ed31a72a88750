import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What each layer is made of: folders that every machine with the project's packages has, as layers of real images are: many
 * small files, some large ones.
 */
const LAYERS: readonly string[][] = [
  ['usr/lib/x86_64-linux-gnu/perl', 'usr/share/perl', 'usr/lib/python3.11'],
  ['usr/share/zoneinfo', 'usr/share/locale', 'usr/share/i18n'],
  ['usr/bin'],
  ['usr/lib/x86_64-linux-gnu/gconv', 'usr/lib/gcc', 'usr/share/vim', 'usr/include'],
];

/** Bytes of files in a layer, at most, so that the sample fits everywhere. */
const LAYER_BYTES = 80 << 20;

/** Paths of regular files and links below some folders of /, sorted, as many as fit. */
function filesBelow(folders: string[]): string[] {
  const args = [...folders, '-type', 'f', '-printf', '%s %p\\n', '-o', '-type', 'l', '-printf', '0 %p\\n'];
  // Folders that this machine lacks are left out with a warning; what is there makes the layer.
  const listed = spawnSync('find', args, { cwd: '/', encoding: 'utf8', maxBuffer: 1 << 28 }).stdout;
  const lines = listed.split('\n').filter(Boolean);
  let left = LAYER_BYTES;
  return lines
    .map((line) => ({
      size: Number(line.slice(0, line.indexOf(' '))),
      path: line.slice(line.indexOf(' ') + 1),
    }))
    .sort((one, other) => (one.path < other.path ? -1 : 1))
    .filter(({ size }) => {
      left -= size;
      return left >= 0;
    })
    .map(({ path }) => path);
}

/** The layers as plain tars. */
export function sampleTars(folder: string): Buffer[] {
  return LAYERS.map((paths, at) => {
    const file = join(folder, `layer-${at}.tar`);
    const input = filesBelow(paths).join('\n');
    spawnSync('tar', ['-C', '/', '--ignore-failed-read', '-cf', file, '-T', '-'], { input });
    const tar = readFileSync(file);
    rmSync(file);
    if (tar.length < 1 << 20) throw new Error(`layer ${at} of the sample has only ${tar.length} bytes`);
    return tar;
  });
}
