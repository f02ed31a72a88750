import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';

for (const [what, file] of [
  ['the default bridge', 'packets.cases.ts'],
  ['networks of users', 'user-packets.cases.ts'],
] as const)
  it(`carries packets of ${what} as promised, in a network namespace that stands for the host`, async (t) => {
    const cases = join(import.meta.dirname, file);
    const argv = ['-n', '-m', process.execPath, '--test', '--test-reporter=spec', cases];
    const [failed, output] = await new Promise<[boolean, string]>((resolve) => {
      const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
      execFile('unshare', argv, { env, maxBuffer: 1 << 24 }, (error, stdout, stderr) =>
        resolve([error !== null, stdout + stderr]),
      );
    });
    assert.equal(failed, false, output);
    assert.match(output, /pass \d\d/);
    for (const [, reason] of output.matchAll(/ℹ (no packets .*)/g)) t.diagnostic(reason ?? '');
  });
