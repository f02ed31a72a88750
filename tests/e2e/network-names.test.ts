import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { NameLab, reply } from '../../src/network/dns/testing/name-lab.ts';
import { eventually, execute, needsOwnDaemon, type TestDaemon, useDaemon } from './support/index.ts';
import { NeighbourLab } from './support/neighbour-lab.ts';

const SLEEP = ['busybox', 'sleep', '3600'];

/** What a container's `nslookup` finds, in order; undefined when it finds nothing. */
async function lookUp(
  engine: TestDaemon,
  from: string,
  name: string,
  type = 'a',
): Promise<string[] | undefined> {
  const { code, stdout } = await engine.docker('exec', from, 'nslookup', `-type=${type}`, name);
  // The first address is the server's own.
  const [, answer = ''] = stdout.split(/\n\n/, 2);
  const found = [...`${answer}\n${stdout.split(/\n\n/)[2] ?? ''}`.matchAll(/(?:^Address:?|name =) ?(\S+)/gm)];
  return code === 0 ? found.map((match) => match[1] as string) : undefined;
}

describe('names of containers', { skip: needsOwnDaemon }, () => {
  const engine = useDaemon();
  const run = (name: string, ...flags: string[]) =>
    engine.ok('run', '-d', '--name', name, ...flags, ...SLEEP);
  const address = (name: string, network: string, field = 'IPAddress') =>
    engine.inspect(name, `{{(index .NetworkSettings.Networks "${network}").${field}}}`);
  const find = (from: string, name: string, type?: string) => lookUp(engine, from, name, type);

  before(async () => {
    await engine.ok('network', 'create', '--ipv6', 'front');
    await engine.ok('network', 'create', 'back');
    await run('web1', '--network', 'front', '--network-alias', 'Site', '--hostname', 'front-host');
    await run('web2', '--network', 'front', '--network-alias', 'site');
    await run('store', '--network', 'back');
    await run('app', '--network', 'front', '--link', 'web1:linked');
    await engine.ok('network', 'connect', 'back', 'app');
  });

  it('are names, short ids, host names and aliases, on shared networks alone', async () => {
    const web1 = await address('web1', 'front');
    const id = (await engine.inspect('web1', '{{.Id}}')).slice(0, 12);
    for (const name of ['web1', 'WEB1', 'web1.', 'web1.front', id, 'front-host'])
      assert.deepEqual(await find('app', name), [web1], name);
    assert.deepEqual(await find('app', 'store'), [await address('store', 'back')]);
    assert.deepEqual(await find('store', 'app'), [await address('app', 'back')]);
    assert.equal(await find('web1', 'store'), undefined);
    assert.equal(await find('store', 'web1'), undefined);
  });

  it('have all addresses of an alias, each first in turn', async () => {
    const both = [await address('web1', 'front'), await address('web2', 'front')].sort();
    const firsts = new Set<string | undefined>();
    for (let n = 0; n < 6; n++) {
      const found = await find('app', 'site');
      assert.deepEqual(found?.toSorted(), both);
      firsts.add(found?.[0]);
    }
    assert.deepEqual([...firsts].sort(), both);
  });

  it('have IPv6 addresses, and are found backwards', async () => {
    const six = await address('web1', 'front', 'GlobalIPv6Address');
    assert.deepEqual(await find('app', 'web1', 'aaaa'), [six]);
    assert.deepEqual(await find('app', 'store', 'aaaa'), []);
    const backwards = (await address('web1', 'front')).split('.').reverse().join('.');
    assert.deepEqual(await find('app', `${backwards}.in-addr.arpa`, 'ptr'), ['web1.front']);
    assert.match(await engine.ok('exec', 'app', 'nslookup', six), /name = web1\.front/);
  });

  it("by links are the linking container's alone", async () => {
    assert.deepEqual(await find('app', 'linked'), [await address('web1', 'front')]);
    assert.equal(await find('web2', 'linked'), undefined);
  });

  it('follow renaming, leaving, joining and ending at once', async () => {
    await run('mover', '--network', 'front');
    assert.deepEqual(await find('app', 'mover'), [await address('mover', 'front')]);
    await engine.ok('rename', 'mover', 'moved');
    assert.deepEqual(await find('app', 'moved'), [await address('moved', 'front')]);
    assert.equal(await find('app', 'mover'), undefined);
    await engine.ok('network', 'disconnect', 'front', 'moved');
    assert.equal(await find('web1', 'moved'), undefined);
    await engine.ok('network', 'connect', '--alias', 'again', 'front', 'moved');
    assert.deepEqual(await find('web1', 'again'), [await address('moved', 'front')]);
    await engine.ok('rm', '-f', 'moved');
    assert.equal(await find('web1', 'again'), undefined);
  });

  it('are completed by search domains, as many dots as the options say', async () => {
    await run('searcher', '--network', 'front', '--dns-search', 'front', '--dns-option', 'ndots:1');
    const file = await engine.ok('exec', 'searcher', 'cat', '/etc/resolv.conf');
    assert.match(file, /^nameserver 127\.0\.0\.11$/m);
    assert.match(file, /^search front$/m);
    assert.match(file, /^options ndots:1$/m);
    const { stdout } = await engine.docker('exec', 'searcher', 'nslookup', 'web1');
    assert.match(stdout, /^Name:\s+web1\.front$/m);
    await engine.ok('rm', '-f', 'searcher');
  });

  it("are answered within a second of a killed daemon's next start, and the container sees no change", async () => {
    const view = () =>
      engine.ok('exec', 'app', 'sh', '-c', 'cat /etc/resolv.conf /etc/hosts; cat /proc/net/route');
    const pid = await engine.inspect('app', '{{.State.Pid}}');
    const rules = async () => (await execute('nsenter', ['-t', pid, '-n', 'nft', 'list', 'ruleset'])).stdout;
    const ask = ['-t', pid, '-n', 'busybox', 'nslookup', '-type=a', 'web1', '127.0.0.11'];
    const before = [await view(), await rules()];
    assert.match(before[1] as string, /dport 53/);
    await engine.kill();
    assert.notEqual((await execute('nsenter', ask, { timeout: 60_000 })).code, 0);
    await engine.run();
    const started = performance.now();
    await eventually(
      () => execute('nsenter', ask),
      ({ code }) => code === 0,
      'the name is answered',
      5000,
    );
    assert(performance.now() - started < 1000);
    assert.deepEqual([await view(), await rules()], before);
    assert.deepEqual(await find('app', 'web1'), [await address('web1', 'front')]);
  });
});

describe('names of others', { skip: needsOwnDaemon }, () => {
  const host = new NeighbourLab();
  const names = new NameLab();
  before(() => host.build());
  const engine = useDaemon({ launcher: ['nsenter', `--net=/run/netns/${host.host}`] });
  /** The host's first name server; in the host's namespace it is ours. */
  const server =
    /^nameserver\s+(\d+\.\S+)/m.exec(readFileSync('/etc/resolv.conf', 'utf8'))?.[1] ?? '127.0.0.1';
  let heard = { udp: 0, tcp: 0 };
  const nft = async (...command: string[]) =>
    (await execute('ip', ['netns', 'exec', host.host, 'nft', ...command])).stdout;
  /** Questions that left the host's processes or were led through it. */
  const left = async () =>
    [...(await nft('list', 'table', 'inet', 'seen')).matchAll(/packets (\d+)/g)].reduce(
      (sum, match) => sum + Number(match[1]),
      0,
    );

  before(async () => {
    await execute('ip', ['-n', host.host, 'addr', 'add', `${server}/32`, 'dev', 'lo']);
    heard = names.server(`/run/netns/${host.host}`, server, (question) => reply(question, ['192.0.2.77']));
    for (const hook of ['output', 'forward'])
      await nft(
        `add table inet seen; add chain inet seen ${hook} { type filter hook ${hook} priority -400; }; ` +
          `add rule inet seen ${hook} meta l4proto { tcp, udp } th dport 53 counter`,
      );
  });

  after(async () => {
    names[Symbol.dispose]();
    await host.remove();
  });

  it("are asked of the host's servers, and never from internal networks", async () => {
    await engine.ok('network', 'create', '--internal', 'walled');
    await engine.ok('network', 'create', 'open');
    for (const name of ['in1', 'in2'])
      await engine.ok('run', '-d', '--name', name, '--network', 'walled', ...SLEEP);
    for (const name of ['secret', 'secret.example', 'in2.example', 'in2.walled.example']) {
      const { stdout } = await engine.docker('exec', 'in1', 'nslookup', name);
      assert.match(stdout, /REFUSED/, name);
    }
    assert.equal((await lookUp(engine, 'in1', 'in2'))?.length, 1);
    assert.deepEqual([await left(), heard.udp + heard.tcp], [0, 0]);
    await engine.ok('network', 'connect', 'open', 'in1');
    assert.deepEqual(await lookUp(engine, 'in1', 'www.example'), ['192.0.2.77']);
    assert((await left()) > 0 && heard.udp > 0);
    const before = heard.udp;
    await engine.ok('network', 'disconnect', 'open', 'in1');
    assert.equal(await lookUp(engine, 'in1', 'www.example'), undefined);
    assert.equal(heard.udp, before);
  });

  it("are asked of the container's own servers where it has any, at its own loopback, too", async () => {
    await engine.ok('network', 'create', 'own');
    await engine.ok('run', '-d', '--name', 'asker', '--network', 'own', '--dns', '127.0.0.1', ...SLEEP);
    const netns = `/proc/${await engine.inspect('asker', '{{.State.Pid}}')}/ns/net`;
    const inside = names.server(netns, '127.0.0.1', (question) => reply(question, ['192.0.2.78']));
    const before = heard.udp;
    assert.deepEqual(await lookUp(engine, 'asker', 'www.example'), ['192.0.2.78']);
    assert((await lookUp(engine, 'asker', 'asker'))?.length === 1);
    assert.deepEqual([heard.udp, inside.udp], [before, 1]);
  });
});
