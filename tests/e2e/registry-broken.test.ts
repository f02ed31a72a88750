import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { execute, needsOwnDaemon, useDaemon, WHARFD } from './support/index.ts';

describe('a registry of the daemon that can’t be served', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  let other: Server;
  let taken = '';
  before(async () => {
    other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    taken = `127.0.0.1:${(other.address() as { port: number }).port}`;
  });
  after(() => new Promise((resolve) => other.close(resolve)));

  const broken: [string, () => Record<string, string>, RegExp][] = [
    ['its port is taken', () => ({ listen: taken }), /can't be listened on/],
    ['its file of users is not there', () => ({ htpasswd: '/nowhere/users' }), /\/nowhere\/users/],
    [
      'its certificate is not there',
      () => ({ listen: '127.0.0.1:0', tlscert: '/nowhere/cert.pem', tlskey: '/nowhere/key.pem' }),
      /\/nowhere\/cert\.pem/,
    ],
  ];
  for (const [why, registry, text] of broken) {
    it(`as ${why}: the engine works without, and its log says why`, async () => {
      await engine.stop();
      const from = engine.logSize();
      engine.configure({ registry: registry() });
      await engine.run();
      assert.equal(
        await engine.ok('run', '--rm', 'busybox', 'echo', 'containers come back'),
        'containers come back',
      );
      const log = engine.log(from);
      assert.match(log, /THE REGISTRY IS NOT SERVED/);
      assert.match(log, text);
    });
  }

  it('is told of by --validate before', async () => {
    engine.configure({ registry: { htpasswd: '/nowhere/users' } });
    const { code, stderr } = await execute(WHARFD, ['--validate', '--config-file', engine.configFile]);
    assert.equal(code, 1);
    assert.match(stderr, /registry: htpasswd: there is no file "\/nowhere\/users"/);
  });

  it('and one that is changed while the daemon runs waits for its next start', async () => {
    const from = engine.logSize();
    engine.configure({ registry: { listen: '127.0.0.1:0' } });
    await engine.signal('SIGHUP');
    for (let round = 0; round < 100 && !engine.log(from).includes('reloaded'); round++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(engine.log(from), /takes effect when the daemon starts again/);
  });
});
