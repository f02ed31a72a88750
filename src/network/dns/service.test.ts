import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';

it('answers in namespaces as promised, on a host that is a network namespace of its own', async () => {
  const cases = join(import.meta.dirname, 'service.cases.ts');
  const argv = ['-n', '-m', process.execPath, '--test', '--test-reporter=spec', cases];
  const [failed, output] = await new Promise<[boolean, string]>((resolve) => {
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
    execFile('unshare', argv, { env, maxBuffer: 1 << 24 }, (error, stdout, stderr) =>
      resolve([error !== null, stdout + stderr]),
    );
  });
  assert.equal(failed, false, output);
  assert.match(output, /pass \d\d/);
});
