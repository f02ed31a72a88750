import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, runAgainst as run } from './fake-engine.ts';

const NETWORK = {
  Name: 'back',
  Id: '0123456789abcdef',
  Created: '2026-01-02T03:04:05.120Z',
  Scope: 'local',
  IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: '10.0.0.0/24' }] },
  Labels: { a: 'b' },
};

/** Runs a command and gives the JSON that it sent. */
async function sent(...args: string[]): Promise<Record<string, unknown>> {
  let body: Record<string, unknown> = {};
  const { code, err } = await run(args, (_request, text) => {
    body = JSON.parse(text) as Record<string, unknown>;
    return { status: 201, json: { Warnings: [], ...NETWORK } };
  });
  assert.equal(code, 0, err);
  return body;
}

async function refused(...args: string[]): Promise<string> {
  const { code, err, asked } = await run(args, () => ({ json: {} }));
  assert.notEqual(code, 0);
  assert.deepEqual(asked, []);
  return err.split('\n', 1)[0] ?? '';
}

const create = async (...flags: string[]) => {
  const body = await sent('network', 'create', ...flags, 'back');
  return (body['IPAM'] as { Config: unknown[] }).Config;
};
const notCreated = (...flags: string[]) => refused('network', 'create', ...flags, 'back');

test('ranges, gateways and auxiliary addresses go to the subnet that contains them', async () => {
  assert.deepEqual(
    await create(
      ...['--subnet', '10.0.0.0/24', '--subnet', 'fd00::/64', '--gateway', 'fd00::1', '--ip-range'],
      ...['10.0.0.128/25', '--aux-address', 'printer=fd00::5', '--aux-address', 'nas=10.0.0.9'],
    ),
    [
      { Subnet: '10.0.0.0/24', IPRange: '10.0.0.128/25', AuxiliaryAddresses: { nas: '10.0.0.9' } },
      { Subnet: 'fd00::/64', Gateway: 'fd00::1', AuxiliaryAddresses: { printer: 'fd00::5' } },
    ],
  );
  assert.deepEqual(await create('--subnet', 'foo'), [{ Subnet: 'foo' }]);
});

test('addresses that fit no subnet are refused before the engine is asked', async () => {
  const subnet = ['--subnet', '10.0.0.0/24'];
  const cases: [string, string[]][] = [
    ['every ip-range or gateway must have a corresponding subnet', ['--gateway', '10.0.0.1']],
    ['no matching subnet for gateway 10.1.0.1', [...subnet, '--gateway', '10.1.0.1']],
    ['no matching subnet for range 10.1.0.0/25', [...subnet, '--ip-range', '10.1.0.0/25']],
    ['no matching subnet for aux-address 10.1.0.1', ['--aux-address', 'a=10.1.0.1']],
    ['invalid CIDR address: 10.0.0.0', [...subnet, '--ip-range', '10.0.0.0']],
    ['invalid subnet: invalid CIDR address: foo', ['--subnet', 'foo', '--gateway', '10.0.0.1']],
    ['multiple overlapping subnet configuration is not supported', [...subnet, '--subnet', '10.0.0.0/16']],
    [
      'cannot configure multiple gateways (10.0.0.2, 10.0.0.1) for the same subnet (10.0.0.0/24)',
      [...subnet, '--subnet', '10.1.0.0/24', '--gateway', '10.0.0.1', '--gateway', '10.0.0.2'],
    ],
    [
      'cannot configure multiple ranges (10.0.0.128/25, 10.0.0.0/25) on the same subnet (10.0.0.0/24)',
      [...subnet, '--subnet', '10.1.0.0/24', '--ip-range', '10.0.0.0/25', '--ip-range', '10.0.0.128/25'],
    ],
  ];
  for (const [text, flags] of cases) assert.equal(await notCreated(...flags), text);
  assert.match(await notCreated('--label', '=x'), /: invalid label '=x': empty name$/);
});

test('a family that was not spoken of is left to the engine', async () => {
  const plain = await sent('network', 'create', 'a');
  assert.equal('EnableIPv4' in plain || 'EnableIPv6' in plain, false);
  const said = await sent('network', 'create', '--ipv4=false', '--ipv6', '--config-from', 'base', 'a');
  assert.deepEqual(
    [said['EnableIPv4'], said['EnableIPv6'], said['ConfigFrom']],
    [false, true, { Network: 'base' }],
  );
});

test('connect', async () => {
  const flags = ['--alias', 'x,y', '--ip', '10.0.0.5', '--gw-priority', '-5', '--driver-opt', 'a=b'];
  assert.deepEqual(await sent('network', 'connect', ...flags, 'back', 'web'), {
    Container: 'web',
    EndpointConfig: {
      IPAMConfig: { IPv4Address: '10.0.0.5' },
      Links: [],
      Aliases: ['x', 'y'],
      DriverOpts: { a: 'b' },
      GwPriority: -5,
    },
  });
  assert.equal(
    await refused('network', 'connect', '--driver-opt', 'a', 'back', 'web'),
    'invalid key/value pair format in driver options',
  );
  assert.match(
    await refused('network', 'connect', '--link', 'a:b:c', 'back', 'web'),
    /bad format for links: a:b:c$/,
  );
});

test('an empty name is never the path of the list', async () => {
  const empty = 'invalid network name or ID: value is empty';
  assert.equal(await refused('network', 'inspect', '').then(() => 'refused'), 'refused');
  assert.equal(await refused('network', 'rm', ''), empty);
  assert.equal(await refused('network', 'connect', ' ', 'web'), empty);
  assert.equal(
    await refused('network', 'disconnect', 'a', ''),
    'invalid container name or ID: value is empty',
  );
});

test('rm goes on after a failure, and with --force a missing network is none', async () => {
  const answer: Answer = (request) =>
    request.url?.includes('gone')
      ? { status: 404, json: { message: 'network gone not found' } }
      : { status: 204 };
  const plain = await run(['network', 'rm', 'gone', 'a'], answer);
  assert.deepEqual(
    [plain.code, plain.out, plain.err],
    [1, 'a\n', 'Error response from daemon: network gone not found\nexit status 1\n'],
  );
  const forced = await run(['network', 'rm', '-f', 'gone', 'a'], answer);
  assert.deepEqual([forced.code, forced.out, forced.err], [0, 'a\n', '']);
});

test('templates see what the engine leaves out when it is empty', async () => {
  const shown = async (format: string) =>
    (await run(['network', 'inspect', '-f', format, 'back'], () => ({ json: NETWORK }))).out;
  assert.equal(
    await shown('{{.ID}} {{.Id}} {{.Created}}'),
    '0123456789abcdef 0123456789abcdef 2026-01-02 03:04:05.12 +0000 UTC\n',
  );
  assert.equal(
    await shown('{{range .IPAM.Config}}{{.Subnet}},{{.Gateway}},{{.IPRange}}{{end}}'),
    '10.0.0.0/24,,\n',
  );
  assert.equal(await shown('{{.IPAM}}'), '{default map[] [{10.0.0.0/24   map[]}]}\n');
  assert.equal(
    await shown('{{json .IPAM.Config}} {{json .Created}}'),
    '[{"Subnet":"10.0.0.0/24"}] "2026-01-02T03:04:05.120Z"\n',
  );
  const list = await run(['network', 'inspect', '-f', 'json', 'a', 'b'], () => ({ json: { Name: 'a' } }));
  assert.equal(list.out, '[{"Name":"a"},{"Name":"a"}]\n');
});

test('templates of events name fields as Go does', async () => {
  const event =
    '{"Type":"network","Action":"create","Actor":{"ID":"x","Attributes":{"name":"n"}},"scope":"local","time":5}';
  const { out } = await run(
    [
      'events',
      '--format',
      '{{.Type}} {{.Scope}} {{.Time}} [{{.From}}] {{json .Actor.Attributes}}',
      '--until',
      '0s',
    ],
    () => ({ text: event }),
  );
  assert.equal(out, 'network local 5 [] {"name":"n"}\n');
});

test('ports of a container, in the order in which people count', async () => {
  const at = (HostIp: string, HostPort: string) => ({ HostIp, HostPort });
  const Ports = {
    '80/tcp': [at('0.0.0.0', '8080'), at('::', '8080')],
    '9/udp': [at('127.0.0.1', '10000'), at('127.0.0.1', '9000')],
    '443/tcp': null,
  };
  const answer: Answer = () => ({ json: { Id: 'c', NetworkSettings: { Ports } } });
  const port = (...args: string[]) => run(['port', 'web', ...args], answer);
  assert.equal(
    (await port()).out,
    '9/udp -> 127.0.0.1:9000\n9/udp -> 127.0.0.1:10000\n80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080\n',
  );
  assert.equal((await port('80')).out, '0.0.0.0:8080\n[::]:8080\n');
  assert.equal((await port('443')).err, "Error: No public port '443' published for web\n");
  assert.match(
    (await port('x')).err,
    /^Error: invalid port \(x\): strconv\.ParseUint: parsing "x": invalid syntax\n$/,
  );
});

const WAYS = [
  ['db', 'back', '5432/tcp', '172.20.0.3:5432', 'network', 'containers of back'],
  ['web10', 'back', '80/tcp', '127.0.0.1:8081', 'host', 'published on loopback'],
  ['web', 'back', '80/tcp', '[::]:8080', 'lan', 'published'],
  ['web', 'back', '80/tcp', '0.0.0.0:8080', 'lan', 'published'],
  ['web2', 'back', '80/tcp', '127.0.0.1:8082', 'host', 'published on loopback\u001b[31m'],
].map(([ContainerName, Network, Port, At, From, Why]) => ({
  ContainerID: `id-${ContainerName}`,
  ContainerName,
  Network,
  Port,
  At,
  From,
  Why,
}));

const exposing: Answer = (request) => {
  if (request.url === '/wharf/networks/exposure') return { json: WAYS };
  const name = request.url?.split('/')[2];
  if (name === 'nosuch') return { status: 404, json: { message: 'No such container: nosuch' } };
  return { json: { Id: `id-${name}` } };
};

test('exposure shows what is open widest first, and addresses of one port together', async () => {
  const { code, out } = await run(['network', 'exposure'], exposing);
  assert.equal(code, 0);
  assert.deepEqual(
    out.split('\n').map((line) => line.split(/ {3,}/)),
    [
      ['CONTAINER', 'PORT', 'REACHABLE AT', 'FROM', 'WHY'],
      ['web', '80/tcp', '0.0.0.0:8080, [::]:8080', 'other hosts', 'published'],
      ['web2', '80/tcp', '127.0.0.1:8082', 'this host', 'published on loopback[31m'],
      ['web10', '80/tcp', '127.0.0.1:8081', 'this host', 'published on loopback'],
      ['db', '5432/tcp', '172.20.0.3:5432', 'its network', 'containers of back'],
      [''],
    ],
  );
});

test('a range of published ports is one line of exposure', async () => {
  const ports = [80, 81, 82, 90].flatMap((port) =>
    ['0.0.0.0:', '[::]:'].map((host) => ({ ...WAYS[3], Port: `${port}/tcp`, At: `${host}${8000 + port}` })),
  );
  const { out } = await run(['network', 'exposure'], () => ({ json: ports }));
  assert.deepEqual(
    out
      .split('\n')
      .slice(1, -1)
      .map((line) => line.split(/ {3,}/).slice(1, 3)),
    [
      ['80-82/tcp', '0.0.0.0:8080-8082, [::]:8080-8082'],
      ['90/tcp', '0.0.0.0:8090, [::]:8090'],
    ],
  );
});

test('exposure of some containers, for programs, and of nothing', async () => {
  const json = await run(['network', 'exposure', '--format', 'json', 'db'], exposing);
  assert.deepEqual(JSON.parse(json.out), {
    Container: 'db',
    ContainerID: 'id-db',
    Network: 'back',
    Port: '5432/tcp',
    At: '172.20.0.3:5432',
    From: 'network',
    Why: 'containers of back',
  });
  const format = await run(['network', 'exposure', '--format', '{{.From}} {{.At}}', 'web'], exposing);
  assert.equal(format.out, 'lan 0.0.0.0:8080\nlan [::]:8080\n');
  assert.equal((await run(['network', 'exposure', 'idle'], exposing)).out, 'Nothing of idle is reachable.\n');
  assert.equal((await run(['network', 'exposure'], () => ({ json: [] }))).out, 'Nothing is reachable.\n');
  const missing = await run(['network', 'exposure', 'nosuch'], exposing);
  assert.deepEqual(
    [missing.code, missing.err],
    [1, 'Error response from daemon: No such container: nosuch\n'],
  );
});

test('renumber says what it chose, and sends only what was asked for', async () => {
  assert.deepEqual(await sent('network', 'renumber', 'back'), {});
  assert.deepEqual(
    await sent('network', 'renumber', '--subnet', '10.9.0.0/24', '--gateway', '10.9.0.1', 'back'),
    {
      IPAM: { Config: [{ Subnet: '10.9.0.0/24', Gateway: '10.9.0.1' }] },
    },
  );
  const { out, asked } = await run(['network', 'renumber', 'back'], () => ({ json: NETWORK }));
  assert.deepEqual([out, asked], ['back: 10.0.0.0/24\n', ['POST /wharf/networks/back/renumber']]);
});
