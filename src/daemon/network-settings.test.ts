import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '../base/index.ts';
import { networkConfig } from '../network/index.ts';
import { parseFlags } from './flags.ts';
import { networkSettings } from './network-settings.ts';
import { ValueReader } from './value-reader.ts';

const read = (...flags: string[]) => networkSettings(new ValueReader(parseFlags(flags)));

test('the defaults are an open bridge with IPv4', () => {
  const { config } = read();
  const { publishPolicy, icc, ipMasq, ipForward, ipv6, allowDirectRouting, hostBinding } = config;
  assert.deepEqual(
    { publishPolicy, icc, ipMasq, ipForward, ipv6, allowDirectRouting, hostBinding },
    {
      publishPolicy: 'open',
      icc: true,
      ipMasq: true,
      ipForward: true,
      ipv6: false,
      allowDirectRouting: false,
      hostBinding: '0.0.0.0',
    },
  );
  assert.equal('bip' in config, false);
});

test('every option arrives where the stack reads it', () => {
  const { config } = read(
    ...['--publish-policy', 'obey', '--icc=false', '--ip-masq=false', '--ip-forward=false', '--ipv6'],
    ...['--bip', '10.7.0.1/24', '--bip6', 'fd07::1/64', '--fixed-cidr', '10.7.0.128/25'],
    ...['--fixed-cidr-v6', 'fd07::/96', '--default-gateway', '10.7.0.9', '--default-gateway-v6', 'fd07::9'],
    ...['--default-network-opt', 'bridge=com.docker.network.driver.mtu=1400'],
    ...['--default-network-opt', 'bridge=a.b=c=d', '--allow-direct-routing'],
  );
  assert.deepEqual(networkConfig(config), {
    ...networkConfig(),
    publishPolicy: 'obey',
    icc: false,
    ipMasq: false,
    ipForward: false,
    ipv6: true,
    allowDirectRouting: true,
    bip: '10.7.0.1/24',
    bip6: 'fd07::1/64',
    fixedCidr: '10.7.0.128/25',
    fixedCidrV6: 'fd07::/96',
    defaultGateway: '10.7.0.9',
    defaultGatewayV6: 'fd07::9',
    defaultNetworkOptions: { bridge: { 'com.docker.network.driver.mtu': '1400', 'a.b': 'c=d' } },
  });
});

test('what cannot be read is refused with what is needed', () => {
  for (const [flags, message] of [
    [['--publish-policy', 'maybe'], /publish-policy is one of open, obey: "maybe"/],
    [['--default-network-opt', 'bridge'], /driver=option=value is needed/],
    [['--default-address-pool', 'base=10.0.0.0/8'], /base=CIDR,size=N is needed/],
  ] as const)
    assert.throws(
      () => read(...flags),
      (thrown) => thrown instanceof WharfError && thrown.kind === 'invalid' && message.test(thrown.message),
    );
});
