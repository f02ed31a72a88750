import { join } from 'node:path';
import { errnoCode, WharfError } from '../base/index.ts';
import { fileError, nodeFs } from './files.ts';

/** What a credential entry of `config.json` may hold. `auth` is base64 of `user:password`. */
export interface AuthEntry {
  auth?: string;
  username?: string;
  password?: string;
  email?: string;
  identitytoken?: string;
  registrytoken?: string;
}

/**
 * Changes `config.json` of a folder, as it is now: keys that are not known here stay. It is written whole or not at all,
 * through a symbolic link to the file behind it, with the mode and owner that it had; a new one is for its owner alone.
 * Throws WharfError `invalid` for one that can't be read: it would be lost.
 */
export function changeConfigFile(dir: string, change: (config: Record<string, unknown>) => void): void {
  const fs = nodeFs();
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = behindLinks(join(dir, 'config.json'));
  const config = readObject(file);
  change(config);
  const partial = `${file}.${process.pid}-${process.hrtime.bigint().toString(36)}`;
  try {
    const fd = fs.openSync(partial, 'wx', 0o600);
    try {
      fs.writeSync(fd, JSON.stringify(config, null, '\t'));
      const before = fs.statSync(file, { throwIfNoEntry: false });
      if (before) {
        fs.fchmodSync(fd, before.mode & 0o777);
        if (before.uid !== process.getuid?.()) fs.fchownSync(fd, before.uid, before.gid);
      }
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(partial, file);
  } catch (thrown) {
    fs.rmSync(partial, { force: true });
    throw fileError(file, thrown);
  }
}

function behindLinks(file: string): string {
  try {
    return nodeFs().realpathSync(file);
  } catch (thrown) {
    if (errnoCode(thrown) !== 'ENOENT') throw fileError(file, thrown);
    return danglingTarget(file);
  }
}

/** A link to a file that is not there yet is followed, too. */
function danglingTarget(file: string): string {
  try {
    const { dirname, resolve } = process.getBuiltinModule('node:path');
    return resolve(dirname(file), nodeFs().readlinkSync(file));
  } catch {
    return file;
  }
}

function readObject(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = nodeFs().readFileSync(file, 'utf8');
  } catch (thrown) {
    if (errnoCode(thrown) === 'ENOENT') return {};
    throw fileError(file, thrown);
  }
  if (text.trim() === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new WharfError('invalid', `${file} is not a JSON object; it is left as it is`);
  return { ...parsed };
}
