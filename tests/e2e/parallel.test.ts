import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { needsOwnDaemon, useDaemon } from './support/index.ts';

const MANY = 50;

describe('many at once', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();

  it('50 runs all succeed, each with its own output and address', async () => {
    const runs = Array.from({ length: MANY }, (_, at) =>
      engine.docker(
        'run',
        '--rm',
        'busybox',
        'sh',
        '-c',
        `echo run ${at}; ip -4 -o addr show eth0 | tr -s " " | cut -d" " -f4`,
      ),
    );
    const outcomes = await Promise.all(runs);
    outcomes.forEach(({ code, stdout, stderr }, at) => {
      assert.equal(code, 0, `run ${at}: ${stderr}`);
      assert.match(stdout, new RegExp(`^run ${at}\\n10\\.`));
    });
    assert.equal(await engine.ok('ps', '-aq'), '');
    const doctor = await engine.wharf('doctor', '--verify');
    assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
  });

  it('50 containers live side by side with addresses of their own, and go together', async () => {
    const names = Array.from({ length: MANY }, (_, at) => `side-${at}`);
    await Promise.all(names.map((name) => engine.ok('run', '-d', '--name', name, 'busybox', 'sleep', '600')));
    const addresses = await engine.ok('inspect', '--format', '{{.NetworkSettings.IPAddress}}', ...names);
    assert.equal(new Set(addresses.split('\n')).size, MANY);
    await Promise.all(names.map((name) => engine.ok('exec', name, 'true')));
    await engine.ok('rm', '-f', ...names);
    assert.equal(await engine.ok('ps', '-aq'), '');
  });

  it('one name is given once, however many ask for it', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => engine.docker('create', '--name', 'wanted', 'busybox')),
    );
    assert.equal(outcomes.filter(({ code }) => code === 0).length, 1);
    await engine.ok('rm', 'wanted');
  });

  it('start, stop and remove of one container at once end in one state', async () => {
    for (let round = 0; round < 3; round++) {
      await engine.ok('create', '--name', 'contested', 'busybox', 'sleep', '600');
      await Promise.all([
        engine.docker('start', 'contested'),
        engine.docker('stop', '-t', '0', 'contested'),
        engine.docker('restart', '-t', '0', 'contested'),
        engine.docker('kill', 'contested'),
      ]);
      await engine.ok('rm', '-f', 'contested');
    }
    const doctor = await engine.wharf('doctor', '--verify');
    assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
  });
});
