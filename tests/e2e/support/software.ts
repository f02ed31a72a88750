import assert from 'node:assert/strict';
import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from './command.ts';
import type { TestDaemon } from './daemon.ts';

/** Where the image's tar is kept between runs of the tests. */
const CACHE = '/var/cache/wharf-tests';
const PACKAGES = ['nginx-light', 'python3', 'redis-server', 'postgresql', 'curl'];
/** A cached tar older than this is made anew, in milliseconds. */
const KEEP = 30 * 86_400_000;

/** Makes a Debian with the packages by mmdebstrap, once. */
async function softwareTar(): Promise<string> {
  const file = join(CACHE, 'software-v1.tar');
  const found = statSync(file, { throwIfNoEntry: false });
  if (found && Date.now() - found.mtimeMs < KEEP) return file;
  mkdirSync(CACHE, { recursive: true });
  const release = (await execute('sh', ['-c', '. /etc/os-release; echo "$VERSION_CODENAME"'])).stdout.trim();
  const mirror = (
    await execute('sh', [
      '-c',
      "awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/*.sources 2>/dev/null; awk '/^deb / {print $(NF-2); exit}' /etc/apt/sources.list 2>/dev/null",
    ])
  ).stdout.split('\n')[0];
  // An old copy of a mirror is good enough for a test.
  const options = [
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=APT::Sandbox::User "root"',
    '--mode=root',
    '--variant=minbase',
  ];
  const args = [
    ...options,
    `--include=${PACKAGES.join(',')}`,
    release || 'stable',
    `${file}.part.tar`,
    ...(mirror ? [mirror] : []),
  ];
  const made = await execute('mmdebstrap', args, { timeout: 400_000 });
  assert.equal(made.code, 0, made.stderr.slice(-2000));
  renameSync(`${file}.part.tar`, file);
  return file;
}

/** Makes the image `software`: Debian with nginx, python3, redis, PostgreSQL and curl. */
export async function importSoftware(engine: TestDaemon): Promise<void> {
  const tar = await softwareTar();
  const command = ['import', '--change', 'CMD ["bash"]', tar, 'software'];
  const made = await engine.dockerWith({ timeout: 200_000 }, ...command);
  assert.equal(made.code, 0, made.stderr);
}
