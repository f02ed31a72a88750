import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeAuth,
  decodeContainerCreate,
  decodeContainerUpdate,
  decodeExecCreate,
  decodeExecStart,
  decodePlatform,
  decodeVolumeCreate,
} from './index.ts';

function refusal(decode: (text: string) => unknown, text: string): string {
  try {
    decode(text);
  } catch (thrown) {
    assert.equal((thrown as { kind?: string }).kind, 'invalid', text);
    return (thrown as Error).message;
  }
  return assert.fail(`accepted: ${text}`);
}

test('type errors have the reference engine’s texts', () => {
  const cases: [string, string][] = [
    ['[]', 'array into Go value of type container.CreateRequest'],
    ['"x"', 'string into Go value of type container.CreateRequest'],
    ['{"Image":1}', 'number into Go struct field .Image of type string'],
    ['{"image":5}', 'number into Go struct field .image of type string'],
    ['{"Image":true}', 'bool into Go struct field .Image of type string'],
    ['{"Image":{"a":1}}', 'object into Go struct field .Image of type string'],
    ['{"Image":"a","Image":5}', 'number into Go struct field .Image of type string'],
    ['{"HostConfig":{"Memory":"a"}}', 'string into Go struct field .HostConfig.Memory of type int64'],
    ['{"HostConfig":{"Memory":1.5}}', 'number 1.5 into Go struct field .HostConfig.Memory of type int64'],
    ['{"HostConfig":{"Memory":1e30}}', 'number 1e30 into Go struct field .HostConfig.Memory of type int64'],
    [
      '{"HostConfig":{"BlkioWeight":70000}}',
      'number 70000 into Go struct field .HostConfig.BlkioWeight of type uint16',
    ],
    ['{"HostConfig":5}', 'number into Go struct field .HostConfig of type container.HostConfig'],
    ['{"HostConfig":{"Binds":"x"}}', 'string into Go struct field .HostConfig.Binds of type []string'],
    ['{"HostConfig":{"Binds":[1]}}', 'number into .HostConfig.Binds.0 of type string'],
    ['{"HostConfig":{"Mounts":[5]}}', 'number into .HostConfig.Mounts.0 of type mount.Mount'],
    [
      '{"HostConfig":{"Mounts":[{"Type":1}]}}',
      'number into Go struct field .HostConfig.Mounts.0.Type of type mount.Type',
    ],
    [
      '{"HostConfig":{"PortBindings":{"80":5}}}',
      'number into .HostConfig.PortBindings.80 of type []nat.PortBinding',
    ],
    [
      '{"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":5}]}}}',
      'number into Go struct field .HostConfig.PortBindings.80~1tcp.0.HostPort of type string',
    ],
    ['{"HostConfig":{"ConsoleSize":[-1,2]}}', 'number -1 into .HostConfig.ConsoleSize.0 of type uint'],
    ['{"HostConfig":{"Tmpfs":[]}}', 'array into Go struct field .HostConfig.Tmpfs of type map[string]string'],
    [
      '{"HostConfig":{"RestartPolicy":{"Name":5}}}',
      'number into Go struct field .HostConfig.RestartPolicy.Name of type container.RestartPolicyMode',
    ],
    [
      '{"HostConfig":{"DeviceRequests":[{"Capabilities":["x"]}]}}',
      'string into .HostConfig.DeviceRequests.0.Capabilities.0 of type []string',
    ],
    [
      '{"Healthcheck":{"Interval":"5"}}',
      'string into Go struct field .Healthcheck.Interval of type time.Duration',
    ],
    ['{"Volumes":{"a":5}}', 'number into Go struct field .Volumes.a of type struct {}'],
    ['{"Labels":{"a":1}}', 'number into Go struct field .Labels.a of type string'],
    [
      '{"NetworkingConfig":{"EndpointsConfig":{"a":5}}}',
      'number into Go struct field .NetworkingConfig.EndpointsConfig.a of type network.EndpointSettings',
    ],
    ['{"Cmd":5}', 'number into Go value of type string'],
    ['{"Cmd":[5]}', 'array into Go value of type string'],
  ];
  for (const [text, what] of cases) {
    assert.equal(refusal(decodeContainerCreate, text), `invalid JSON: json: cannot unmarshal ${what}`, text);
  }
  assert.equal(
    refusal(decodeExecCreate, '{"Cmd":"true"}'),
    'invalid JSON: json: cannot unmarshal string into Go struct field ExecOptions.Cmd of type []string',
  );
  assert.equal(
    refusal(decodeExecStart, '{"Detach":5}'),
    'invalid JSON: json: cannot unmarshal number into Go struct field ExecStartOptions.Detach of type bool',
  );
});

test('faults that are not about types have theirs', () => {
  assert.equal(refusal(decodeContainerCreate, '{}'), 'config cannot be empty in order to create a container');
  assert.equal(
    refusal(decodeContainerCreate, 'null'),
    'config cannot be empty in order to create a container',
  );
  assert.equal(refusal(decodeContainerCreate, ' \n'), 'invalid JSON: got EOF while reading request body');
  assert.equal(refusal(decodeContainerCreate, '{"Image":"b"} x'), 'unexpected content after JSON');
  assert.equal(refusal(decodeExecCreate, '{"Cmd":[]}'), 'No exec command specified');
  const nil = '{"Image":"b","NetworkingConfig":{"EndpointsConfig":{"bridge":null}}}';
  assert.equal(
    refusal(decodeContainerCreate, nil),
    'invalid config for network bridge: EndpointsConfig is nil',
  );
});

test('a body is taken apart; keys have any case, null is absence, unknown keys are ignored', () => {
  const text = JSON.stringify({
    hostname: 'h',
    CMD: 'one',
    Entrypoint: ['a', null],
    Healthcheck: null,
    Labels: { a: null, b: 'c' },
    Unknown: { deep: [1] },
    HostConfig: {
      memory: 5,
      PortBindings: { '80/tcp': null, '81/tcp': [{ HostPort: '1' }] },
      ConsoleSize: [1],
      CapAdd: 'NET_ADMIN',
      MaskedPaths: [],
      ReadonlyPaths: null,
    },
    NetworkingConfig: { EndpointsConfig: { n: { ipamconfig: { IPv4Address: '10.0.0.2' } } } },
  });
  assert.deepEqual(decodeContainerCreate(text), {
    config: { Hostname: 'h', Cmd: ['one'], Entrypoint: ['a', ''], Labels: { a: '', b: 'c' } },
    hostConfig: {
      Memory: 5,
      PortBindings: { '80/tcp': null, '81/tcp': [{ HostPort: '1' }] },
      ConsoleSize: [1, 0],
      CapAdd: ['NET_ADMIN'],
      MaskedPaths: [],
    },
    networkingConfig: { EndpointsConfig: { n: { IPAMConfig: { IPv4Address: '10.0.0.2' } } } },
  });
});

test('of duplicate keys the last one holds, in whatever case', () => {
  assert.equal(decodeContainerCreate('{"Image":"a","Image":"b"}').config.Image, 'b');
  assert.equal(decodeContainerCreate('{"Image":"a","iMAGE":"b"}').config.Image, 'b');
});

test('__proto__ and constructor are data and pollute nothing', () => {
  const text = '{"Image":"b","__proto__":{"Tty":true},"Labels":{"__proto__":"x","constructor":"y"}}';
  const { config } = decodeContainerCreate(text);
  assert.equal(config.Tty, undefined);
  assert.deepEqual(Object.entries(config.Labels ?? {}), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  assert.equal(({} as Record<string, unknown>)['Tty'], undefined);
});

test('the smaller bodies', () => {
  assert.deepEqual(decodeContainerUpdate('{"Memory":9,"RestartPolicy":{"Name":"always"}}'), {
    Memory: 9,
    RestartPolicy: { Name: 'always' },
  });
  assert.deepEqual(decodeVolumeCreate('{"Name":"v","DriverOpts":{"type":"none"}}'), {
    Name: 'v',
    DriverOpts: { type: 'none' },
  });
  assert.deepEqual(decodeAuth('{"Username":"u","password":"p"}'), { username: 'u', password: 'p' });
  assert.deepEqual(decodePlatform('{"os":"linux","architecture":"arm64"}'), {
    os: 'linux',
    architecture: 'arm64',
  });
  assert.equal(decodePlatform(''), undefined);
  assert.throws(() => decodePlatform('{}'), /both OS and Architecture/);
});

test('no mutation of a valid body throws anything but `invalid`', () => {
  const valid = JSON.stringify({
    Image: 'b',
    Cmd: ['x'],
    HostConfig: { Memory: 1, Mounts: [{ Type: 'bind' }] },
  });
  const junk = ['', '"', '{', '}', '[', ']', ',', ':', '\\', '\u0000', '1e9', 'null', 'é', '-'];
  for (let at = 0; at <= valid.length; at++) {
    for (const piece of junk) {
      for (const text of [
        valid.slice(0, at) + piece + valid.slice(at),
        valid.slice(0, at) + piece + valid.slice(at + 1),
      ]) {
        try {
          decodeContainerCreate(text);
        } catch (thrown) {
          assert.equal((thrown as { kind?: string }).kind, 'invalid', text);
          assert.notEqual((thrown as Error).message, 'invalid JSON: invalid JSON', text);
        }
      }
    }
  }
});
