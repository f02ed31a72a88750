import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registryFields } from './registry-fields.ts';

const HUB = { Name: 'docker.io', Mirrors: [], Secure: true, Official: true };

test('without configuration it is what Docker says', () => {
  assert.deepEqual(registryFields({ insecure: [], mirrors: new Map(), proxy: {} }), {
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: {
      IndexConfigs: { 'docker.io': HUB },
      InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8'],
      Mirrors: null,
    },
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
  });
});

test('insecure hosts, ranges and mirrors are shown where Docker shows them', () => {
  const shown = registryFields({
    insecure: ['lab:5000', '10.1.0.0/16'],
    mirrors: new Map([
      ['docker.io', ['http://cache:5000']],
      ['quay.io', ['http://cache:5001']],
    ]),
    proxy: {},
  });
  assert.deepEqual(shown.RegistryConfig, {
    IndexConfigs: {
      'docker.io': { ...HUB, Mirrors: ['http://cache:5000/'] },
      'lab:5000': { Name: 'lab:5000', Mirrors: [], Secure: false, Official: false },
      'quay.io': { Name: 'quay.io', Mirrors: ['http://cache:5001/'], Secure: true, Official: false },
    },
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', '10.1.0.0/16'],
    Mirrors: ['http://cache:5000/'],
  });
});

test('credentials of a proxy are masked', () => {
  const proxy = { http: 'http://ada:secret@proxy:3128', https: 'http://proxy:3128', no: 'lab' };
  const shown = registryFields({ insecure: [], mirrors: new Map(), proxy });
  assert.equal(shown.HttpProxy, 'http://xxxxx:xxxxx@proxy:3128');
  assert.equal(shown.HttpsProxy, 'http://proxy:3128');
  assert.equal(shown.NoProxy, 'lab');
  assert.doesNotMatch(JSON.stringify(shown), /secret|ada/);
});
