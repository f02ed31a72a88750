import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WharfError } from '../base/index.ts';
import { mountFailure, resolveAddresses, type VolumeMount, volumeMount } from './mount-options.ts';

const mount = (type: string, device: string, o = '') => volumeMount({ type, device, o }) as VolumeMount;
const resolve = async (name: string) => {
  if (name === 'files.test') return '192.0.2.7';
  throw new Error(`lookup ${name}: no such host`);
};

describe('addresses of network filesystems', () => {
  it('are found for the names in addr, and for the host of a share without it', async () => {
    const nfs = await resolveAddresses(mount('nfs', ':/export', 'addr=files.test,rw,nfsvers=4'), resolve);
    assert.deepEqual(nfs, {
      type: 'nfs',
      source: ':/export',
      flags: ['rw'],
      data: 'addr=192.0.2.7,nfsvers=4',
    });
    const share = await resolveAddresses(mount('cifs', '//files.test/share/sub', 'username=a'), resolve);
    assert.equal(share.source, '//192.0.2.7/share/sub');
    const both = await resolveAddresses(mount('cifs', '//files.test/share', 'addr=files.test'), resolve);
    assert.deepEqual([both.source, both.data], ['//files.test/share', 'addr=192.0.2.7']);
  });

  it('stay as they are given, and other filesystems have none', async () => {
    for (const one of [
      mount('nfs', ':/x', 'addr=192.0.2.1'),
      mount('nfs', ':/x', 'addr=2001:db8::1'),
      mount('nfs', 'files.test:/x'),
      mount('cifs', '//192.0.2.1/x'),
      mount('tmpfs', 'tmpfs', 'addr=files.test'),
    ]) {
      assert.deepEqual(await resolveAddresses(one, resolve), one);
    }
  });

  it('that nobody knows are told', async () => {
    await assert.rejects(resolveAddresses(mount('nfs', ':/x', 'addr=no.test'), resolve), {
      kind: 'internal',
      message: 'error resolving passed in network volume address: lookup no.test: no such host',
    });
  });
});

describe('a failed mount', () => {
  const errno = (code: string, number: number) =>
    new WharfError('not-found', `mount: ${code}`, {
      cause: Object.assign(new Error(code), { code, errno: number }),
    });

  it('says what was tried, in the words of the reference', () => {
    assert.equal(
      mountFailure(mount('none', '/none', 'bind,ro'), '/t', errno('ENOENT', -2)).message,
      'failed to mount local volume: mount /none:/t, flags: 0x1001: no such file or directory',
    );
    assert.equal(
      mountFailure(mount('ext4', '/dev/none'), '/t', errno('ENODEV', -19)).message,
      'failed to mount local volume: mount /dev/none:/t: no such device',
    );
  });

  it('keeps passwords to itself', () => {
    const share = mount('cifs', '//192.0.2.1/x', 'username=a,password=secret,pass=geheim,vers=3.0');
    const { message } = mountFailure(share, '/t', errno('ENODEV', -19));
    assert.equal(
      message,
      'failed to mount local volume: mount //192.0.2.1/x:/t, data: username=a,password=********,pass=********,vers=3.0: no such device',
    );
  });

  it('keeps every form of them to itself, wherever it stands', () => {
    for (const data of [
      'password=geheim',
      'a=b,pass=geheim',
      'password2=geheim,c',
      'user=a%geheim',
      'username=d/a%geheim,x',
    ]) {
      const { message } = mountFailure(mount('cifs', '//192.0.2.1/x', data), '/t', errno('EACCES', -13));
      assert.doesNotMatch(message, /geheim/);
      assert.match(message, /\*{8}/);
    }
    const plain = mountFailure(
      mount('cifs', '//192.0.2.1/x', 'username=a,bypass=1'),
      '/t',
      errno('EACCES', -13),
    );
    assert.match(plain.message, /data: username=a,bypass=1: permission denied$/);
  });
});
