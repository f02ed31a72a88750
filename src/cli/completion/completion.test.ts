import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { type Answer, runAgainst } from '../fake-engine.ts';

const engine: Answer = (request) => {
  if (request.url?.startsWith('/containers')) return { json: [{ Names: ['/web'] }, { Names: ['/db'] }] };
  if (request.url?.startsWith('/networks')) return { json: [{ Name: 'bridge' }, { Name: 'back' }] };
  return { json: [] };
};

async function offers(...words: string[]): Promise<string[]> {
  const { out } = await runAgainst(['__complete', '--', ...words], engine);
  return out.split('\n').slice(0, -1);
}

test('values of flags are those that the flag takes', async () => {
  assert.deepEqual(await offers('run', '--restart', ''), ['no', 'on-failure', 'always', 'unless-stopped']);
  assert.deepEqual(await offers('run', '--pull', ''), ['always', 'missing', 'never']);
  assert.deepEqual(await offers('run', '--log-driver', 'j'), ['journald', 'json-file']);
  assert.deepEqual(await offers('run', '--log-opt', 'mode'), ['mode=blocking', 'mode=non-blocking']);
  assert.deepEqual(await offers('volume', 'create', '-o', 'si'), ['size=']);
  assert.deepEqual(await offers('volume', 'prune', '--filter', 'l'), ['label=', 'label!=']);
  assert.deepEqual(await offers('commit', '-c', 'E'), ['ENTRYPOINT', 'ENV', 'EXPOSE']);
  assert.deepEqual(await offers('run', '--network', ''), [
    'bridge',
    'host',
    'none',
    'back',
    'container:',
    'container:web',
    'container:db',
  ]);
  assert.deepEqual(await offers('kill', '-s', 'TT'), ['TTIN', 'TTOU']);
  assert.deepEqual(await offers('run', '-it', '--name', ''), []);
});

test('a value behind = and words half typed', async () => {
  assert.deepEqual(await offers('run', '--restart=un'), ['--restart=unless-stopped']);
  assert.deepEqual(await offers('run', '--resta'), ['--restart']);
  assert.deepEqual(await offers('run', '--network', 'container:w'), ['container:web']);
  assert.deepEqual(await offers('unpa'), ['unpause']);
});

test('operands', async () => {
  assert.deepEqual(await offers('exec', ''), ['web', 'db']);
  assert.deepEqual(await offers('exec', '-u', 'root', 'w'), ['web']);
  assert.deepEqual(await offers('exec', 'web', ''), []);
  assert.deepEqual(await offers('exec', 'web', '-'), []);
  assert.deepEqual(await offers('rm', 'web', ''), ['db']);
  assert.deepEqual(await offers('rename', 'web', ''), []);
  assert.deepEqual(await offers('network', 'connect', 'back', ''), ['web', 'db']);
  assert.deepEqual(await offers('network', 'exposure', 'd'), ['db']);
  assert.deepEqual(await offers('network', 'renumber', ''), ['bridge', 'back']);
  assert.deepEqual(await offers('network', 'create', '-d', ''), ['bridge', 'ipvlan', 'macvlan']);
  assert.deepEqual(await offers('network', 'create', '-o', 'par'), ['parent=']);
});

test('cp takes containers and paths here, and paths of containers stay to be typed', async () => {
  assert.deepEqual(await offers('cp', ''), ['web:', 'db:']);
  assert.deepEqual(await offers('cp', './x', 'w'), ['web:']);
  assert.deepEqual(await offers('cp', '-'), ['--archive', '--follow-link', '--help', '--quiet']);
  assert.equal((await runAgainst(['__complete', '--', 'cp', './'], engine)).code, 3);
  assert.deepEqual(await offers('commit', 'w'), ['web']);
  assert.deepEqual(await offers('volume', 'rm', '--dr'), ['--dry-run']);
});

test('global flags may stand before the command', async () => {
  assert.deepEqual(await offers('-H', 'unix:///nosock', 'exec', ''), []);
  assert.deepEqual(await offers('-D', '--log-level', 'info', 'exec', ''), ['web', 'db']);
  assert.deepEqual(await offers('-l', 'w'), ['warn']);
  assert.deepEqual(await offers('--tlsv'), ['--tlsverify']);
});

test('files are left to the shell', async () => {
  for (const words of [
    ['load', '-i', ''],
    ['run', '--env-file', ''],
    ['import', ''],
    ['run', '--cidfile='],
  ])
    assert.equal((await runAgainst(['__complete', '--', ...words], engine)).code, 3);
});

test('the bash script cuts off what bash took for another word', async () => {
  const { out } = await runAgainst(['completion', 'bash'], engine);
  const script = `${out}
    wharf() { printf '%s\\n' --restart=unless-stopped; }
    compopt() { :; }
    COMP_LINE='wharf run --restart=un' COMP_POINT=22; _wharf; echo "$COMPREPLY"`;
  assert.equal(execFileSync('bash', ['-c', script], { encoding: 'utf8' }), 'unless-stopped\n');
});
