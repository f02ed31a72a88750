import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorKind, WharfError } from '../../base/index.ts';
import { createExec, ExecRegistry } from '../execs/index.ts';
import { fakeLogs, World } from './lifecycle.cases.ts';
import {
  attachContainer,
  type ContainerRecord,
  killContainer,
  pauseContainer,
  removeContainer,
  resizeContainer,
  restartContainer,
  startContainer,
  stopContainer,
  topContainer,
  unpauseContainer,
} from './lifecycle.ts';
import type { ContainerStatus } from './record.ts';

const STATUSES = ['created', 'running', 'paused', 'restarting', 'exited', 'removing', 'dead'] as const;
type Outcome = 'ok' | readonly [ErrorKind, string];

/** A container in that state, as the lifecycle brings it there. */
async function inState(world: World, status: ContainerStatus): Promise<ContainerRecord> {
  const record = world.add({
    hostConfig: { RestartPolicy: { Name: status === 'restarting' ? 'always' : 'no' } },
  });
  if (status === 'created') return record;
  await startContainer(world.deps, record.id);
  const live = world.live.of(record.id);
  if (status === 'running') return record;
  if (status === 'paused') {
    await pauseContainer(world.deps, record.id);
    return record;
  }
  world.tasks.of(record.id).exit(1);
  await live.exitHandled;
  await world.live.settled();
  if (status === 'removing' || status === 'dead') record.state.status = status;
  assert.equal(record.state.status, status);
  return record;
}

const NOT_RUNNING = ['conflict', 'container ID is not running'] as const;
const RESTARTING = ['conflict', 'Container ID is restarting, wait until the container is running'] as const;
const MARKED = ['conflict', 'container is marked for removal and cannot be started'] as const;
const STOPPED = ['not-modified', 'container ID is already stopped'] as const;
const STARTED = ['not-modified', 'container ID is already running'] as const;
const KILL = ['conflict', 'cannot kill container: NAME: container ID is not running'] as const;
const NOT_PAUSED = ['internal', 'Container ID is not paused'] as const;
const remove = (what: string) =>
  ['conflict', `cannot remove container "NAME": container is ${what}`] as const;
const BEFORE = 'stop the container before removing or force remove';

/** What each operation says in each state, in the order of STATUSES. */
const TABLE: Record<string, { run(world: World, name: string): Promise<unknown>; says: readonly Outcome[] }> =
  {
    start: {
      run: (world, name) => startContainer(world.deps, name),
      says: [
        'ok',
        STARTED,
        ['conflict', 'cannot start a paused container, try unpause instead'],
        STARTED,
        'ok',
        MARKED,
        MARKED,
      ],
    },
    stop: {
      run: (world, name) => stopContainer(world.deps, name, {}),
      says: [STOPPED, 'ok', 'ok', 'ok', STOPPED, STOPPED, STOPPED],
    },
    kill: {
      run: (world, name) => killContainer(world.deps, name, 'KILL'),
      says: [KILL, 'ok', 'ok', 'ok', KILL, KILL, KILL],
    },
    restart: {
      run: (world, name) => restartContainer(world.deps, name, {}),
      says: [
        'ok',
        'ok',
        'ok',
        'ok',
        'ok',
        ['conflict', `Cannot restart container NAME: ${MARKED[1]}`],
        ['conflict', `Cannot restart container NAME: ${MARKED[1]}`],
      ],
    },
    pause: {
      run: (world, name) => pauseContainer(world.deps, name),
      says: [
        NOT_RUNNING,
        'ok',
        ['conflict', 'Container ID is already paused'],
        RESTARTING,
        NOT_RUNNING,
        NOT_RUNNING,
        NOT_RUNNING,
      ],
    },
    unpause: {
      run: (world, name) => unpauseContainer(world.deps, name),
      says: [NOT_PAUSED, NOT_PAUSED, 'ok', NOT_PAUSED, NOT_PAUSED, NOT_PAUSED, NOT_PAUSED],
    },
    resize: {
      run: (world, name) => resizeContainer(world.deps, name, { height: 1, width: 1 }),
      says: [NOT_RUNNING, 'ok', 'ok', NOT_RUNNING, NOT_RUNNING, NOT_RUNNING, NOT_RUNNING],
    },
    top: {
      run: (world, name) => topContainer({ ...world.deps, ps: async () => 'PID\n1\n' }, name, ''),
      says: [NOT_RUNNING, 'ok', 'ok', RESTARTING, NOT_RUNNING, NOT_RUNNING, NOT_RUNNING],
    },
    exec: {
      run: (world, name) => createExec({ ...world.deps, execs: new ExecRegistry() }, name, { Cmd: ['ls'] }),
      says: [
        NOT_RUNNING,
        'ok',
        ['conflict', 'Container NAME is paused, unpause the container before exec'],
        RESTARTING,
        NOT_RUNNING,
        NOT_RUNNING,
        NOT_RUNNING,
      ],
    },
    attach: {
      async run(world, name) {
        const streams = { stdin: false, stdout: true, stderr: true, stream: true, logs: false };
        const deps = { ...world.deps, logs: fakeLogs(world) };
        const session = await attachContainer(deps, name, streams, new AbortController().signal);
        session.close();
      },
      says: [
        'ok',
        'ok',
        ['conflict', 'container NAME is paused, unpause the container before attach'],
        RESTARTING,
        'ok',
        'ok',
        'ok',
      ],
    },
    remove: {
      run: (world, name) => removeContainer(world.deps, name, { volumes: false, force: false, link: false }),
      says: [
        'ok',
        remove(`running: ${BEFORE}`),
        remove('paused and must be unpaused first'),
        remove(`restarting: ${BEFORE}`),
        'ok',
        'ok',
        'ok',
      ],
    },
    'forced remove': {
      run: (world, name) => removeContainer(world.deps, name, { volumes: false, force: true, link: false }),
      says: ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'],
    },
  };

for (const [operation, { run, says }] of Object.entries(TABLE)) {
  test(`${operation} in every state`, async () => {
    for (const [index, status] of STATUSES.entries()) {
      await using world = new World();
      const record = await inState(world, status);
      const expected = says[index];
      const { id, name } = record;
      try {
        await run(world, name);
        assert.equal('ok', expected, status);
      } catch (thrown) {
        assert.ok(thrown instanceof WharfError, `${status}: ${thrown}`);
        const text = thrown.message.replaceAll(id, 'ID').replaceAll(name, 'NAME');
        assert.deepEqual([thrown.kind, text], expected, status);
        assert.equal(record.state.status, status, 'a refusal changes nothing');
      }
      await world.live.settled();
    }
  });
}

test('every operation refuses what does not exist', async () => {
  await using world = new World();
  const message = /No such container: nosuch$/;
  for (const [operation, { run }] of Object.entries(TABLE)) {
    await assert.rejects(run(world, 'nosuch'), { kind: 'not-found', message }, operation);
  }
});
