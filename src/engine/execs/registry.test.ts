import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exec, type ExecPlan, ExecRegistry } from './registry.ts';

const plan = (containerId: string): ExecPlan => ({
  containerId,
  command: ['ls'],
  process: { user: { uid: 0, gid: 0 }, args: ['ls'], env: [], cwd: '/' },
  tty: false,
  attachStdin: false,
  attachStdout: true,
  attachStderr: true,
  privileged: false,
  user: '',
  detachKeys: Buffer.from([16, 17]),
  ownDetachKeys: false,
});

test('execs are found by id and by container; the first of a container is said to be so', () => {
  const registry = new ExecRegistry();
  const [a, b, other] = [new Exec('a', plan('c1')), new Exec('b', plan('c1')), new Exec('o', plan('c2'))];
  assert.deepEqual([registry.add(a), registry.add(b), registry.add(other)], [true, false, true]);
  assert.equal(registry.get('a'), a);
  assert.equal(registry.get('nosuch'), undefined);
  assert.deepEqual(registry.idsOf('c1'), ['a', 'b']);
  a.state = 'running';
  b.state = 'ended';
  assert.deepEqual(registry.idsOf('c1'), ['a'], 'created and running ones');
  a.state = 'ended';
  assert.equal(registry.idsOf('c1'), null);
  assert.equal(registry.idsOf('nosuch'), null);
});

test('a container that goes takes its execs along, and no others', () => {
  const registry = new ExecRegistry();
  registry.add(new Exec('a', plan('c1')));
  registry.add(new Exec('o', plan('c2')));
  registry.forgetContainer('c1');
  registry.forgetContainer('nosuch');
  assert.deepEqual([registry.get('a'), registry.idsOf('c1'), registry.idsOf('c2')], [undefined, null, ['o']]);
  assert.equal(registry.add(new Exec('again', plan('c1'))), true);
});

test('an ended exec can be asked for five minutes more', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const registry = new ExecRegistry();
  const exec = new Exec('a', plan('c1'));
  registry.add(exec);
  exec.state = 'ended';
  registry.expire(exec);
  t.mock.timers.tick(299_999);
  assert.equal(registry.get('a'), exec);
  t.mock.timers.tick(1);
  assert.equal(registry.get('a'), undefined);
});

test('an exec that nobody starts goes after ten minutes, a started one stays', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const registry = new ExecRegistry();
  const [idle, begun] = [new Exec('idle', plan('c1')), new Exec('begun', plan('c1'))];
  registry.add(idle);
  registry.add(begun);
  registry.begin(begun);
  assert.equal(begun.state, 'running');
  t.mock.timers.tick(599_999);
  assert.equal(registry.get('idle'), idle);
  t.mock.timers.tick(1);
  assert.deepEqual([registry.get('idle'), registry.idsOf('c1')], [undefined, ['begun']]);
  assert.equal(await idle.started, undefined);
});

test('a thousand execs of a container may wait for their start, and no more', () => {
  const registry = new ExecRegistry();
  const execs = Array.from({ length: 1_000 }, (_, at) => new Exec(`e${at}`, plan('c1')));
  for (const exec of execs) registry.add(exec);
  const late = new Exec('late', plan('c1'));
  assert.throws(() => registry.add(late), { kind: 'conflict' });
  assert.equal(registry.get('late'), undefined);
  registry.add(new Exec('other', plan('c2')));
  registry.begin(execs[0] as Exec);
  registry.add(late);
  registry.forgetContainer('c1');
  registry.add(new Exec('again', plan('c1')));
});
