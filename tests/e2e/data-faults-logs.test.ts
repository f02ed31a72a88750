import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { lacksFilesystem } from './support/filesystem-lab.ts';
import { eventually, needsOwnDaemon } from './support/index.ts';
import { powerCut, useDisk } from './support/power-cut.ts';

/** Prints lines of 100 bytes with growing numbers, fast enough to rotate many times a second; the numbers go on where a file in its root says. */
const PRINTER =
  'i=$(cat /next 2>/dev/null || echo 0); p=$(printf %090d 0); ' +
  'while :; do i=$((i+1)); echo "n$i $p"; [ $((i%50)) = 0 ] && { echo $i > /next; sleep 0.01; }; done';
const LOG = ['--log-opt', 'max-size=64k', '--log-opt', 'max-file=4'];

describe('a log that is being written and rotated', {
  skip: needsOwnDaemon || lacksFilesystem('ext4'),
}, () => {
  const { lab, engine } = useDisk('ext4', 200 << 20);
  before(() => engine.ok('run', '-d', '--name', 'prints', ...LOG, 'busybox', 'sh', '-c', PRINTER));
  after(() => engine.docker('rm', '-f', 'prints'));

  const numbers = async (): Promise<number[]> =>
    (await engine.ok('logs', 'prints')).split('\n').flatMap((line) => {
      const found = /^n(\d+) 0{90}$/.exec(line);
      return found ? [Number(found[1])] : [];
    });
  const last = async () => (await numbers()).at(-1) ?? 0;
  const goesOn = async () => {
    const from = await last();
    await eventually(last, (now) => now > from + 2000, 'new lines are read, over rotations');
  };
  const doctor = async (when: string) => {
    const { code, stdout, stderr } = await engine.wharf('doctor', '--verify');
    assert.equal(code, 0, `${when}: ${stdout}${stderr}`);
  };

  it('has every line in order after kills of the daemon', async () => {
    await goesOn();
    for (let round = 0; round < 3; round++) {
      await engine.kill();
      await engine.run();
      await goesOn();
    }
    const read = await numbers();
    read.forEach((number, at) => {
      if (at > 0) assert.equal(number, (read[at - 1] as number) + 1);
    });
    await doctor('after kills');
  });

  it('can be read after a power cut, is bounded, and goes on', async () => {
    for (let round = 0; round < 2; round++) {
      await goesOn();
      await powerCut(lab, engine);
      await doctor(`after power cut ${round}`);
      const before = await numbers();
      const falls = before.filter((number, at) => at > 0 && number < (before[at - 1] as number));
      assert.ok(falls.length <= round, `${falls.length} lines come before those they follow`);
      await engine.ok('start', 'prints');
      await eventually(
        async () => (await numbers()).length,
        (count) => count > 300,
        'new lines are read',
      );
    }
  });

  it('does not stop its container on a full disk, and goes on when there is room', async () => {
    lab.fill(0);
    const started = await engine.inspect('prints', '{{.State.StartedAt}}');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal((await engine.docker('logs', '--tail', '1', 'prints')).code, 0);
    assert.equal(
      await engine.inspect('prints', '{{.State.Running}} {{.State.StartedAt}}'),
      `true ${started}`,
    );
    await doctor('on a full disk');
    lab.relieve();
    await goesOn();
    await doctor('when there is room');
  });
});
