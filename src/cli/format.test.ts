import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DetachScanner } from './detach-keys.ts';
import { binarySize, ellipsis, humanDuration, humanSize } from './human.ts';
import { portList } from './rows.ts';
import { parseMount } from './run/mounts.ts';
import { parsePublish } from './run/ports.ts';
import { safeCell } from './sanitize.ts';
import { alignColumns, renderListing, row } from './table.ts';

test('spans in words', () => {
  const cases: [number, string][] = [
    [0.5, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [61, 'About a minute'],
    [180, '3 minutes'],
    [3600, 'About an hour'],
    [3 * 3600, '3 hours'],
    [3 * 86400, '3 days'],
    [21 * 86400, '3 weeks'],
    [90 * 86400, '3 months'],
    [800 * 86400, '2 years'],
  ];
  for (const [seconds, words] of cases) assert.equal(humanDuration(seconds), words);
});

test('sizes', () => {
  assert.deepEqual(
    [0, 999, 1883, 1982256, 1.5e9].map((size) => humanSize(size)),
    ['0B', '999B', '1.883kB', '1.982MB', '1.5GB'],
  );
  assert.equal(humanSize(1982256, 3), '1.98MB');
  assert.equal(binarySize(25276502016), '23.54GiB');
});

test('columns are as wide as their widest cell and three blanks, at least ten', () => {
  assert.equal(alignColumns('A\tB\nlong word here\tx\n'), 'A                B\nlong word here   x\n');
  assert.equal(alignColumns('A\tB\n'), 'A         B\n');
});

test('a listing has headers for table formats alone', async () => {
  const rows = [row({ Name: () => 'x', Image: () => 'y' }, { 'a.b-c': '1' })];
  const listing = { typeName: 'T', headers: { Name: 'NAMES', Image: 'IMAGE', Labels: 'LABELS' }, rows };
  assert.equal(
    await renderListing({ ...listing, format: 'table {{.Name}}\\t{{.Label "a.b-c"}}' }),
    'NAMES     b c\nx         1\n',
  );
  assert.equal(await renderListing({ ...listing, format: '{{.Name}}' }), 'x\n');
  assert.equal(
    await renderListing({ ...listing, format: 'table {{.Name}}\\t{{.Image}}' }),
    'NAMES     IMAGE\nx         y\n',
  );
  assert.equal(await renderListing({ ...listing, format: '{{upper .Name}} {{.Image}}' }), 'X y\n');
  await assert.rejects(renderListing({ ...listing, format: '{{.Nope}}' }), /Nope/);
  assert.equal(await renderListing({ ...listing, format: '{{.Name}}', rows: [] }), '');
  assert.equal(await renderListing({ ...listing, format: 'json' }), '{"Image":"y","Name":"x"}\n');
});

test('names and labels cannot steer a terminal', async () => {
  for (let code = 0; code < 0xa0; code++) {
    if (code >= 0x20 && code < 0x7f) continue;
    assert.equal(safeCell(`a${String.fromCharCode(code)}b`), 'ab');
  }
  const rows = [row({ Name: () => '\u001b]0;x\u0007\u009b31mred\nline' })];
  assert.equal(
    await renderListing({ typeName: 'T', headers: {}, rows, format: '{{.Name}}' }),
    ']0;x31mredline\n',
  );
});

test('ports are joined to ranges', () => {
  const port = (PrivatePort: number, PublicPort?: number) => ({
    PrivatePort,
    Type: 'tcp',
    ...(PublicPort ? { IP: '0.0.0.0', PublicPort } : {}),
  });
  assert.equal(portList([port(80, 80), port(81, 81)]), '0.0.0.0:80-81->80-81/tcp');
  assert.equal(portList([port(80, 8080), port(443)]), '443/tcp, 0.0.0.0:8080->80/tcp');
});

test('publish in its forms', () => {
  assert.deepEqual(parsePublish(['127.0.0.1:8080:80', '53:53/udp', '9']).bindings, {
    '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }],
    '53/udp': [{ HostIp: '', HostPort: '53' }],
    '9/tcp': [{ HostIp: '', HostPort: '' }],
  });
  assert.deepEqual(parsePublish(['[::1]:80-81:90-91']).bindings['91/tcp'], [
    { HostIp: '::1', HostPort: '81' },
  ]);
  assert.throws(() => parsePublish(['99999:1']), /invalid hostPort: 99999/);
});

test('mount in its forms', () => {
  assert.deepEqual(parseMount('type=bind,src=/a,dst=/b,readonly,bind-propagation=rslave'), {
    Type: 'bind',
    Source: '/a',
    Target: '/b',
    ReadOnly: true,
    BindOptions: { Propagation: 'rslave' },
  });
  assert.deepEqual(parseMount('type=volume,"dst=/a,b"')['Target'], '/a,b');
  assert.throws(() => parseMount('type=bind'), /target is required/);
  assert.throws(() => parseMount('type=bind,target=/a,foo=b'), /unexpected key 'foo' in 'foo=b'/);
});

test('detach keys are found across chunks, and what only looked like them goes on', () => {
  const scanner = new DetachScanner('');
  assert.deepEqual(scanner.push(Buffer.from([97, 16])), Buffer.from([97]));
  assert.deepEqual(scanner.push(Buffer.from([98])), Buffer.from([16, 98]));
  assert.equal(scanner.push(Buffer.from([16, 17])), undefined);
});

test('long words are cut to an ellipsis', () => {
  assert.equal(ellipsis('abcdef', 4), 'abc…');
  assert.equal(ellipsis('abc', 4), 'abc');
});
