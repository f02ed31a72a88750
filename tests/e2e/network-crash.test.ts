import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually, needsOwnDaemon, useDaemon } from './support/index.ts';
import { killAt } from './support/kill-at.ts';

/** What the daemon's main thread calls while it changes networks: netlink, nft, its database, namespaces and pins. */
const SYSCALLS = ['sendto', 'sendmsg', 'pwrite64', 'fdatasync', 'setns', 'mount', 'umount2', 'unlink'];

/** More calls than any operation makes; reached only if the kill never misses, which would be a fault of the test. */
const MOST = 600;

/** Each of the first calls is tried; the many that follow in a look at other firewalls' rules change nothing. */
const next = (count: number) => (count < 30 ? count + 1 : count + 25);

describe('a daemon that is killed while networks change', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const names = async () => (await engine.ok('network', 'ls', '--format', '{{.Name}}')).split('\n');
  const joined = async () =>
    (await engine.inspect('member', '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}'))
      .trim()
      .split(' ');
  const doctor = async (when: string) => {
    const { code, stdout, stderr } = await engine.wharf('doctor', '--verify');
    assert.equal(code, 0, `${when}: ${stdout}${stderr}`);
  };
  /** A kill may come after the answer, too: then the next daemon is started. */
  const survived = async () => {
    const alive = await engine.api('GET', '/_ping').then(
      () => true,
      () => false,
    );
    if (!alive) {
      await engine.ended();
      await engine.run();
    }
    engine.expectEnd(false);
  };
  /** Interfaces inside the container: what is, whatever the records say. */
  const inside = async () =>
    (await engine.ok('exec', 'member', 'ls', '/sys/class/net')).split('\n').filter((name) => name !== 'lo');

  before(async () => {
    await engine.ok('network', 'create', 'home');
    await engine.ok('run', '-d', '--name', 'member', '--network', 'home', 'busybox', 'sleep', '3600');
  });

  const operations = [
    {
      title: 'create',
      command: ['network', 'create', '--ipv6', 'away'],
      done: async () => (await names()).includes('away'),
      undo: ['network', 'rm', 'away'],
    },
    {
      title: 'connect',
      setUp: ['network', 'create', '--ipv6', 'away'],
      command: ['network', 'connect', '--alias', 'm', 'away', 'member'],
      done: async () => (await joined()).includes('away') && (await inside()).length === 2,
      undone: async () => !(await joined()).includes('away') && (await inside()).length === 1,
      undo: ['network', 'disconnect', 'away', 'member'],
    },
    {
      title: 'disconnect',
      setUp: ['network', 'connect', 'away', 'member'],
      command: ['network', 'disconnect', 'away', 'member'],
      done: async () => !(await joined()).includes('away') && (await inside()).length === 1,
      undone: async () => (await joined()).includes('away') && (await inside()).length === 2,
      undo: ['network', 'connect', 'away', 'member'],
      tearDown: ['network', 'disconnect', 'away', 'member'],
    },
    {
      title: 'remove',
      command: ['network', 'rm', 'away'],
      done: async () => !(await names()).includes('away'),
      undo: ['network', 'create', '--ipv6', 'away'],
    },
  ];

  for (const { title, setUp, command, done, undone, undo, tearDown } of operations)
    it(`${title}: at every step it is done or not, nothing is left, and the same call again succeeds`, async (context) => {
      if (setUp) await engine.ok(...setUp);
      let kills = 0;
      for (const syscall of SYSCALLS)
        for (let count = 1; ; count = next(count)) {
          assert.ok(count < MOST, `${syscall} is called ${count} times`);
          const watch = await killAt(engine.pid, syscall, count);
          engine.expectEnd(true);
          const outcome = await engine.docker(...command);
          if (outcome.code === 0) {
            // There are not that many such calls before the answer; those after it are the next round's.
            await watch.off();
            await survived();
            await engine.ok(...undo);
            break;
          }
          await engine.ended();
          await watch.off();
          kills++;
          await engine.run();
          const when = `${title}, killed at ${syscall} ${count}`;
          await doctor(when);
          const finished = await done();
          if (!finished) {
            if (undone) assert.ok(await undone(), `${when}: neither done nor undone`);
            const again = await engine.docker(...command);
            assert.equal(again.code, 0, `${when}, then again: ${again.stderr}`);
            assert.ok(await done(), `${when}: the second call had no effect`);
          }
          await doctor(`${when}, and done again`);
          await engine.ok(...undo);
        }
      if (tearDown) await engine.ok(...tearDown);
      context.diagnostic(`${kills} kills`);
      assert.ok(kills > 5, `${kills} kills`);
    });

  it('the member lives through all of it', async () => {
    assert.equal(await engine.inspect('member', '{{.State.Status}} {{.RestartCount}}'), 'running 0');
    const address = await engine.inspect('member', '{{.NetworkSettings.Networks.home.IPAddress}}');
    await eventually(
      () => engine.docker('run', '--rm', '--network', 'home', 'busybox', 'nslookup', 'member'),
      ({ stdout }) => stdout.includes(address),
      'its name leads to it',
    );
  });
});
