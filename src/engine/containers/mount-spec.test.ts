import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mount } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import { parseBind, parseImageVolume, parseMount, parseTmpfs, parseVolumesFrom } from './mount-spec.ts';

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    assert.ok(thrown instanceof WharfError, String(thrown));
    return thrown.message;
  }
  return 'no error';
}

test('binds are refused with the texts of the reference', () => {
  const volume = 'invalid mount config for type "volume": ';
  const bind = 'invalid mount config for type "bind": ';
  for (const [spec, expected] of [
    ['x', `invalid volume specification: 'x': ${volume}invalid mount path: 'x' mount path must be absolute`],
    ['/a:/b:/c:/d', "invalid volume specification: '/a:/b:/c:/d'"],
    [
      '/a:b',
      `invalid volume specification: '/a:b': ${bind}invalid mount path: 'b' mount path must be absolute`,
    ],
    ['/a:/', `invalid volume specification: '/a:/': ${bind}invalid specification: destination can't be '/'`],
    ['/:/a:zz', 'invalid mode: zz'],
    ['/tmp:/a:ro,rw', 'invalid mode: ro,rw'],
    [
      'xx:/a:rshared',
      `invalid volume specification: 'xx:/a:rshared': ${volume}field BindOptions must not be specified`,
    ],
    [
      '/tmp:/a:nocopy',
      `invalid volume specification: '/tmp:/a:nocopy': ${bind}field VolumeOptions must not be specified`,
    ],
    ['', "invalid volume specification: ''"],
    [':/a', "invalid volume specification: ':/a'"],
  ] as const) {
    assert.equal(
      refusal(() => parseBind(spec, '')),
      expected,
      spec,
    );
  }
});

test('binds in all their forms', () => {
  const host = parseBind('/src/../host/:/a/../b/:rslave,ro,z', '');
  assert.deepEqual(
    [host.type, host.source, host.destination, host.readOnly, host.mode, host.propagation, host.options],
    ['bind', '/host', '/b', true, 'rslave,ro,z', 'rslave', ['rbind', 'rslave']],
  );
  assert.equal(host.createSource, true);
  const named = parseBind('data:/d:nocopy', 'local');
  assert.deepEqual([named.type, named.source, named.noCopy, named.driver], ['volume', 'data', true, 'local']);
  assert.equal(parseBind('data:/d', '').mode, 'z');
  const anonymous = parseBind('/anon', '');
  assert.deepEqual([anonymous.type, anonymous.source, anonymous.mode], ['volume', '', '']);
});

test('mounts are refused with the texts of the reference', () => {
  const exists = (path: string) => path === '/tmp';
  const bind = (fields: Mount): Mount => ({ Type: 'bind', Source: '/tmp', Target: '/a', ...fields });
  const of = (type: string, fault: string) => `invalid mount config for type "${type}": ${fault}`;
  for (const [mount, expected] of [
    [bind({ Source: '/no' }), of('bind', 'bind source path does not exist: /no')],
    [bind({ Source: 'x' }), of('bind', "invalid mount path: 'x' mount path must be absolute")],
    [bind({ Target: 'a' }), of('bind', "invalid mount path: 'a' mount path must be absolute")],
    [bind({ Target: '' }), of('bind', 'field Target must not be empty')],
    [bind({ Source: '' }), of('bind', 'field Source must not be empty')],
    [bind({ Target: '/' }), of('bind', "invalid specification: destination can't be '/'")],
    [bind({ Type: 'x' }), of('x', 'mount type unknown')],
    [bind({ Type: 'cluster' }), of('cluster', 'mount type unknown')],
    [bind({ Type: 'image', Source: '' }), of('image', 'field Source must not be empty')],
    [
      bind({ Type: 'image', ImageOptions: { Subpath: '/x' } }),
      of('image', 'subpath must be a relative path within the volume'),
    ],
    [bind({ VolumeOptions: {} }), 'VolumeOptions must not be specified on mount type "bind"'],
    [bind({ BindOptions: { Propagation: 'x' } }), of('bind', 'invalid propagation mode: x')],
    [{ Type: 'tmpfs', Source: '/tmp', Target: '/a' }, of('tmpfs', 'field Source must not be specified')],
    [
      { Type: 'tmpfs', Target: '/a', TmpfsOptions: { Options: [['size', 'x']] } },
      of('tmpfs', 'invalid option: size'),
    ],
    [
      { Type: 'volume', Target: '/a', VolumeOptions: { Subpath: 'x' } },
      of('volume', 'must not set Subpath when using anonymous volumes'),
    ],
    [
      { Type: 'volume', Source: 'vv', Target: '/a', VolumeOptions: { Subpath: '../x' } },
      of('volume', 'subpath must be a relative path within the volume'),
    ],
  ] as [Mount, string][]) {
    assert.equal(
      refusal(() => parseMount(mount, exists)),
      expected,
      JSON.stringify(mount),
    );
  }
});

test('mounts in all their forms', () => {
  const bind = parseMount(
    {
      Type: 'bind',
      Source: '/no',
      Target: '/a',
      ReadOnly: true,
      BindOptions: { NonRecursive: true, CreateMountpoint: true },
    },
    () => false,
  );
  assert.deepEqual([bind.options, bind.readOnly, bind.createSource], [['bind', 'rprivate'], true, true]);
  const tmpfs = parseMount({
    Type: 'tmpfs',
    Target: '/t',
    TmpfsOptions: { SizeBytes: 1024, Mode: 0o1777, Options: [['exec']] },
  });
  assert.deepEqual(tmpfs.options, ['nosuid', 'nodev', 'exec', 'size=1024', 'mode=1777']);
  const volume = parseMount({
    Type: 'volume',
    Source: 'vv',
    Target: '/v',
    VolumeOptions: { NoCopy: true, Subpath: 'a/b' },
  });
  assert.deepEqual([volume.noCopy, volume.subpath, volume.mode], [true, 'a/b', 'z']);
});

test('tmpfs, image volumes and volumes-from', () => {
  assert.deepEqual(parseTmpfs({ '/x': 'size=1m,suid' })[0]?.options, ['noexec', 'nodev', 'size=1m', 'suid']);
  assert.match(
    refusal(() => parseTmpfs({ x: '' })),
    /^invalid mount path: 'x' mount path must be absolute$/,
  );
  assert.equal(parseImageVolume('/a/../../etc').destination, '/etc');
  assert.equal(parseImageVolume('rel').destination, '/rel');
  assert.match(
    refusal(() => parseImageVolume('/a/..')),
    /destination can't be '\/'/,
  );
  assert.deepEqual(parseVolumesFrom('c:ro'), { ref: 'c', readOnly: true });
  assert.equal(
    refusal(() => parseVolumesFrom('c:x')),
    'invalid mode: x',
  );
  assert.equal(
    refusal(() => parseVolumesFrom('')),
    'volumes-from specification cannot be an empty string',
  );
});
