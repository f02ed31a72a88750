import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';

/** Runs cases in a network namespace of their own, which stands for the host. */
async function apart(file: string): Promise<void> {
  const cases = join(import.meta.dirname, file);
  const argv = ['-n', '-m', process.execPath, '--test', '--test-reporter=spec', cases];
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  const [failed, output] = await new Promise<[boolean, string]>((resolve) => {
    execFile('unshare', argv, { env, maxBuffer: 1 << 24 }, (error, stdout, stderr) =>
      resolve([error !== null, stdout + stderr]),
    );
  });
  assert.equal(failed, false, output);
  assert.match(output, /pass [1-9]/);
}

describe('the table in a real kernel', () => {
  it('is built, changed, checked and watched', () => apart('table.cases.ts'));
  it('lets packets through as promised, and no others', () => apart('reach.cases.ts'));
});
