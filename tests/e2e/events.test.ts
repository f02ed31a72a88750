import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useDaemon } from './support/index.ts';

interface Event {
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  time: number;
  timeNano: number;
}

describe('events', () => {
  const engine = useDaemon();

  /** Events from now on, until `work` is done. */
  async function during(filters: string[], work: () => Promise<unknown>): Promise<Event[]> {
    const since = String(Date.now() / 1000);
    await work();
    const until = String((Date.now() + 1) / 1000);
    const flags = filters.flatMap((filter) => ['--filter', filter]);
    const text = await engine.ok(
      'events',
      '--since',
      since,
      '--until',
      until,
      ...flags,
      '--format',
      '{{json .}}',
    );
    return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Event);
  }

  const names = (events: Event[]) => events.map(({ Type, Action }) => `${Type} ${Action}`);

  it('tell a run in the order of the reference', async () => {
    const name = `ev-${engine.id}`;
    const events = await during([`container=${name}`], () =>
      engine.ok('run', '--name', name, '--rm', 'busybox', 'true'),
    );
    assert.deepEqual(names(events), [
      'container create',
      'container attach',
      'container start',
      'container die',
      'container destroy',
    ]);
    const die = events.find(({ Action }) => Action === 'die');
    assert.equal(die?.Actor.Attributes['exitCode'], '0');
    assert.equal(die?.Actor.Attributes['name'], name);
    assert.equal(die?.Actor.Attributes['image'], 'busybox');
    assert.match(die?.Actor.Attributes['execDuration'] ?? '', /^\d+$/);
    const stamps = events.map(({ timeNano }) => timeNano);
    assert.deepEqual(
      stamps,
      [...stamps].sort((a, b) => a - b),
    );
  });

  it('tell of networks between create and start, and after the end', async () => {
    const name = `evn-${engine.id}`;
    const events = await during([], () => engine.ok('run', '--name', name, '--rm', 'busybox', 'true'));
    const { ID } = (events.find(({ Actor }) => Actor.Attributes['name'] === name) as Event).Actor;
    const ours = events.filter(({ Actor }) => Actor.ID === ID || Actor.Attributes['container'] === ID);
    assert.deepEqual(names(ours), [
      'container create',
      'container attach',
      'network connect',
      'container start',
      'network disconnect',
      'container die',
      'container destroy',
    ]);
  });

  it('tell stop, kill, pause, rename, restart and exec', async () => {
    const name = `evs-${engine.id}`;
    const events = await during([`container=${name}`], async () => {
      await engine.ok('run', '-d', '--init', '--name', name, 'busybox', 'sleep', '60');
      await engine.ok('pause', name);
      await engine.ok('unpause', name);
      await engine.ok('exec', name, 'true');
      await engine.ok('restart', name);
      await engine.ok('stop', name);
      await engine.ok('rm', name);
    });
    const actions = events.map(({ Action }) => Action);
    // The reference tells `stop` and `die` of one end in either order.
    const plain = actions
      .filter((action) => !action.startsWith('exec_'))
      .map((action) => (action === 'stop' ? 'die' : action));
    assert.deepEqual(plain, [
      ...['create', 'start', 'pause', 'unpause', 'kill', 'die', 'die', 'start', 'restart'],
      ...['kill', 'die', 'die', 'destroy'],
    ]);
    assert.equal(actions.filter((action) => action === 'stop').length, 2);
    assert.deepEqual(
      actions.filter((action) => action.startsWith('exec_')),
      ['exec_create: true ', 'exec_start: true ', 'exec_die'],
    );
    assert.equal(events.find(({ Action }) => Action === 'kill')?.Actor.Attributes['signal'], '15');
  });

  it('come as they happen, until the client goes', async () => {
    const session = engine.session(
      'events',
      '--filter',
      'type=container',
      '--filter',
      'event=create',
      '--format',
      '{{.Actor.Attributes.name}}',
    );
    const name = `evl-${engine.id}`;
    await new Promise((resolve) => setTimeout(resolve, 500));
    await engine.ok('create', '--name', name, 'busybox');
    await session.until(name);
    session.kill('SIGINT');
    await session.exited;
    await engine.ok('rm', name);
  });

  it('of images and volumes carry their names', async () => {
    const events = await during([], async () => {
      await engine.ok('tag', 'busybox', `ev-${engine.id}:tagged`);
      await engine.ok('rmi', `ev-${engine.id}:tagged`);
      await engine.ok('volume', 'create', `ev-${engine.id}`);
      await engine.ok('volume', 'rm', `ev-${engine.id}`);
    });
    const tag = events.find(({ Type, Action }) => Type === 'image' && Action === 'tag');
    assert.equal(tag?.Actor.Attributes['name'], `ev-${engine.id}:tagged`);
    assert.ok(names(events).includes('image untag'));
    assert.deepEqual(
      names(events).filter((name) => name.startsWith('volume')),
      ['volume create', 'volume destroy'],
    );
  });
});
