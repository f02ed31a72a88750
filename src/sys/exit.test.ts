import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

test('the process ends with the code, without its handlers of the end', () => {
  const script = `
    import { writeSync } from 'node:fs';
    import { exitNow } from ${JSON.stringify(new URL('./exit.ts', import.meta.url).href)};
    process.on('exit', () => writeSync(1, 'handler'));
    setInterval(() => undefined, 1000);
    writeSync(1, 'before ');
    exitNow(7);
    writeSync(1, 'after');
  `;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  assert.equal(status, 7);
  assert.equal(stdout, 'before ');
});
