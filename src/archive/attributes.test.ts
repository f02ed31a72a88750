import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { lgetxattr, lsetxattr } from '../sys/index.ts';
import { applyLayer, type TarInput, TarPacker } from './index.ts';

let target: string;

beforeEach(() => {
  const base = mkdtempSync('/var/tmp/wharf-attributes-');
  target = join(base, 'root');
  mkdirSync(target, { mode: 0o755 });
});
afterEach(() => rmSync(join(target, '..'), { recursive: true, force: true }));

async function unpacked(...entries: (TarInput & { body?: Uint8Array })[]): Promise<void> {
  const packer = new TarPacker();
  for (const entry of entries) packer.add(entry);
  const bytes = packer.finish();
  await applyLayer(
    (async function* () {
      yield bytes;
    })(),
    target,
  );
}

/** Mode in octal, owner and group of a path in the target. */
function seen(path: string): string {
  const { mode, uid, gid } = lstatSync(join(target, path));
  return `${(mode & 0o7777).toString(8)} ${uid}:${gid}`;
}

const directory = (name: string, mode: number, gid = 0) => ({
  name: `${name}/`,
  type: 'directory' as const,
  mode,
  gid,
});

describe('owner and mode of what is made', () => {
  it('are those of the entry, whatever the umask would take, and special bits stay', async () => {
    const modes = [0, 0o200, 0o444, 0o600, 0o640, 0o644, 0o666, 0o755, 0o777, 0o1644, 0o2755, 0o4755, 0o6777];
    const owners = [0, 1, 65_534, 0xfffffffe];
    const umask = process.umask();
    for (const mask of [0, 0o22, 0o77, 0o777]) {
      process.umask(mask);
      try {
        const entries = modes.flatMap((mode) =>
          owners.flatMap((uid) =>
            owners.map((gid) => ({ name: `${mask}-${mode}-${uid}-${gid}`, mode, uid, gid })),
          ),
        );
        await unpacked(...entries);
        for (const { name, mode, uid, gid } of entries)
          assert.equal(seen(name), `${mode.toString(8)} ${uid}:${gid}`, name);
      } finally {
        process.umask(umask);
      }
    }
  });

  it('are not taken from a directory that gives its group on', async () => {
    await unpacked(
      directory('given', 0o2775, 7),
      { name: 'given/file', mode: 0o644 },
      { name: 'given/own', mode: 0o644, gid: 7 },
      directory('given/below', 0o755),
      { name: 'given/link', type: 'symlink', linkName: 'file' },
      { name: 'given/fifo', type: 'fifo', mode: 0o600 },
    );
    assert.equal(seen('given'), '2775 0:7');
    assert.equal(seen('given/file'), '644 0:0');
    assert.equal(seen('given/own'), '644 0:7');
    assert.equal(seen('given/below'), '755 0:0');
    assert.match(seen('given/link'), / 0:0$/);
    assert.equal(seen('given/fifo'), '600 0:0');
  });

  it('are not taken from a directory that came to another group later, by another of its names', async () => {
    await unpacked(
      directory('real', 0o755),
      { name: 'alias', type: 'symlink', linkName: 'real' },
      { name: 'alias/before', mode: 0o644 },
      { name: 'real/before-too', mode: 0o644 },
      directory('real', 0o2755, 9),
      { name: 'alias/after', mode: 0o644 },
      { name: 'real/after-too', mode: 0o644 },
      { name: './', type: 'directory', mode: 0o2755, gid: 9 },
      { name: 'in-root', mode: 0o644 },
    );
    for (const name of ['alias/before', 'real/before-too', 'alias/after', 'real/after-too', 'in-root'])
      assert.equal(seen(name), '644 0:0', name);
    assert.equal(seen('.'), '2755 0:9');
  });

  it('are not narrowed by default ACLs, the archive’s or the target’s', async () => {
    const acl = defaultAcl();
    await unpacked(
      { ...directory('strict', 0o755), xattrs: new Map([['system.posix_acl_default', acl]]) },
      { name: 'strict/file', mode: 0o666 },
      { name: 'beside', mode: 0o666 },
    );
    assert.deepEqual(lgetxattr(join(target, 'strict'), 'system.posix_acl_default'), acl);
    assert.equal(seen('strict/file'), '666 0:0');
    assert.equal(seen('beside'), '666 0:0');
    lsetxattr(target, 'system.posix_acl_default', acl);
    await unpacked({ name: 'later', mode: 0o666 });
    assert.equal(seen('later'), '666 0:0');
  });

  it('include file capabilities, which a change of owner would take', async () => {
    // Version 2, cap_net_bind_service permitted and effective (capabilities(7), linux/capability.h).
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    const xattrs = new Map([['security.capability', capability]]);
    await unpacked({ name: 'a', mode: 0o755, uid: 5, gid: 5, xattrs }, { name: 'b', mode: 0o755, xattrs });
    for (const name of ['a', 'b'])
      assert.deepEqual(lgetxattr(join(target, name), 'security.capability'), capability);
  });
});

/** A default ACL that leaves a new file to its owner alone (acl(5), linux/posix_acl_xattr.h). */
function defaultAcl(): Buffer {
  const entries = [
    [0x01, 7],
    [0x04, 0],
    [0x20, 0],
  ] as const;
  const bytes = Buffer.alloc(4 + entries.length * 8);
  bytes.writeUInt32LE(2, 0);
  for (const [at, [tag, permissions]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + at * 8);
    bytes.writeUInt16LE(permissions, 6 + at * 8);
    bytes.writeUInt32LE(0xffffffff, 8 + at * 8);
  }
  return bytes;
}
