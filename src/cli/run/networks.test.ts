import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlags } from '../flags.ts';
import { CONTAINER_FLAGS } from './flags.ts';
import { networking } from './networks.ts';
import { parseExpose, parsePublish } from './ports.ts';

const asked = (...args: string[]) => networking(parseFlags(CONTAINER_FLAGS, args));

test('the long form of --network', () => {
  const text =
    'name=Back,alias=x,alias=y,ip=10.0.0.5,ip6=fd00::5,mac-address=02:42:ac:11:00:02,link-local-ip=169.254.1.1,' +
    'driver-opt=a=b,gw-priority=-5';
  assert.deepEqual(asked('--network', text), {
    mode: 'Back',
    endpoints: {
      Back: {
        Aliases: ['x', 'y'],
        IPAMConfig: { IPv4Address: '10.0.0.5', IPv6Address: 'fd00::5', LinkLocalIPs: ['169.254.1.1'] },
        MacAddress: '02:42:ac:11:00:02',
        DriverOpts: { a: 'b' },
        GwPriority: -5,
      },
    },
  });
  assert.deepEqual(asked('--network', 'name=a,"driver-opt=k=1,2"').endpoints, {
    a: { DriverOpts: { k: '1,2' } },
  });
});

test('several networks, of which the first is the mode and gets the flags', () => {
  assert.deepEqual(
    asked('--network', 'a', '--network', 'name=b,alias=z', '--ip', '10.0.0.5', '--link', 'q:r'),
    {
      mode: 'a',
      endpoints: { a: { IPAMConfig: { IPv4Address: '10.0.0.5' }, Links: ['q:r'] }, b: { Aliases: ['z'] } },
    },
  );
  assert.equal(asked('--net', 'a', '--network', 'b').mode, 'a');
});

test('what the engine can make of the mode alone is left to it', () => {
  assert.deepEqual(asked('--network', 'a'), { mode: 'a', endpoints: {} });
  assert.deepEqual(asked('--network', 'container:x'), { mode: 'container:x', endpoints: {} });
  assert.deepEqual(asked(), { mode: 'default', endpoints: { default: {} } });
});

test('options that exclude each other', () => {
  const both = 'conflicting options: cannot specify both';
  const cases: [string, string[]][] = [
    [
      `${both} --network-alias and per-network alias`,
      ['--network', 'name=a,alias=x', '--network-alias', 'y'],
    ],
    [`${both} --ip and per-network IPv4 address`, ['--network', 'name=a,ip=10.0.0.5', '--ip', '10.0.0.6']],
    [`${both} --ip6 and per-network IPv6 address`, ['--network', 'name=a,ip6=fd00::5', '--ip6', 'fd00::6']],
    [
      `${both} --mac-address and per-network MAC address`,
      ['--network', 'name=a,mac-address=02:42:ac:11:00:02', '--mac-address', '02:42:ac:11:00:03'],
    ],
    [
      `${both} --link-local-ip and per-network link-local IP addresses`,
      ['--network', 'name=a,link-local-ip=169.254.1.1', '--link-local-ip', '169.254.1.2'],
    ],
    [
      'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
      ['--network', 'bridge', '--network', 'a'],
    ],
    ['network "a" is specified multiple times', ['--network', 'a', '--network', 'a']],
    ['network-scoped aliases are only supported for user-defined networks', ['--network-alias', 'x']],
    ['foo is not a valid mac address', ['--mac-address', 'foo']],
    ['no name set for network', ['--network', '']],
  ];
  for (const [message, args] of cases) assert.throws(() => asked(...args), { message });
});

test('a long form that cannot be read is an error of the flag', () => {
  const cases: [string, string][] = [
    ['name=a,foo=b', 'invalid field key foo'],
    ['name=a,ip', 'invalid field ip'],
    ['alias=b', 'network name/id is not specified'],
    ['name=a,gw-priority=x', 'invalid gw-priority (x): invalid syntax'],
    ['name=a,driver-opt=a', 'invalid key value pair format in driver options'],
  ];
  for (const [text, why] of cases)
    assert.throws(() => asked('--network', text), {
      message: `invalid argument ${JSON.stringify(text)} for "--network" flag: ${why}`,
    });
});

test('MAC addresses in all the forms of their standards', () => {
  const eui64 = '02:00:5e:10:00:00:00:01';
  for (const mac of ['02-42-AC-11-00-03', '0242.ac11.0003', eui64])
    assert.deepEqual(asked('--network', 'a', '--mac-address', mac).endpoints, { a: { MacAddress: mac } });
  for (const mac of ['02:42-ac:11:00:03', '02:42:ac:11:00', '02:42:ac:11:00:03:04'])
    assert.throws(() => asked('--mac-address', mac), /is not a valid mac address/);
});

const bound = (text: string) => parsePublish([text]).bindings;

test('addresses of published ports', () => {
  assert.deepEqual(bound('[::1]:80:80'), { '80/tcp': [{ HostIp: '::1', HostPort: '80' }] });
  assert.deepEqual(bound('::1:80:80'), bound('[::1]:80:80'));
  assert.deepEqual(bound('127.0.0.1::80/UDP'), { '80/udp': [{ HostIp: '127.0.0.1', HostPort: '' }] });
  assert.deepEqual(bound('8000-8010:80'), { '80/tcp': [{ HostIp: '', HostPort: '8000-8010' }] });
  assert.deepEqual(Object.keys(bound('80-82')), ['80/tcp', '81/tcp', '82/tcp']);
  assert.deepEqual(bound('target=80,published=8080,protocol=udp,mode=host'), bound('8080:80/udp'));
});

test('ports that cannot be published', () => {
  const cases: [string, string][] = [
    ['1.2.3.4.5:80:80', 'invalid IP address: 1.2.3.4.5'],
    ['fe80::1%eth0:80:80', 'invalid IP address: fe80::1%eth0'],
    ['[::1:80:80', "invalid IP address [::1: address [::1:: missing ']' in address"],
    ['80:', 'no port specified: 80:<empty>'],
    ['80:80/foo', 'invalid proto: foo'],
    ['80:65536', 'invalid containerPort: 65536'],
    ['90-80:80', 'invalid hostPort: 90-80'],
    ['80-85:80-90', 'invalid ranges specified for container and host Ports: 80-90 and 80-85'],
    ['target=80,published', "invalid publish opts format (should be name=value but got 'published')"],
  ];
  for (const [text, message] of cases) assert.throws(() => bound(text), { message });
});

test('exposed ports', () => {
  assert.deepEqual(Object.keys(parseExpose(['80-81/udp', '9', '7/'])), [
    '80/udp',
    '81/udp',
    '9/tcp',
    '7/tcp',
  ]);
  const failed = (text: string) => `invalid range format for --expose: ${text}, error: `;
  const cases: [string, string][] = [
    ['', `${failed('')}empty string specified for ports`],
    ['90-80', `${failed('90-80')}invalid range specified for port: 90-80`],
    ['70000', `${failed('70000')}strconv.ParseUint: parsing "70000": value out of range`],
    ['1:2', 'invalid port format for --expose: 1:2'],
  ];
  for (const [text, message] of cases) assert.throws(() => parseExpose([text]), { message });
});
