import { after, before } from 'node:test';

import { WharfError } from '../base/index.ts';
import { type FakeExec, type FakeStdio, type FakeTask, FakeTasks } from './fake-tasks.ts';
import { type SuiteProgram, type SuiteWorld, taskServiceSuite } from './suite.ts';
import { CRUN, openRuntimeWorld, RUNC, type RuntimeWorld } from './test-fixture.ts';
import type { RuntimeBinary } from './types.ts';

let world: RuntimeWorld;
before(() => {
  world = openRuntimeWorld();
});
after(() => world[Symbol.asyncDispose]());

function args(program: SuiteProgram): string[] {
  switch (program.does) {
    case 'exit':
      return ['sh', '-c', `exit ${program.code}`];
    case 'print':
      return ['echo', '-n', program.text];
    case 'cat':
      return ['cat'];
    case 'sleep':
      return ['sleep', '60'];
    default:
      return ['nosuch'];
  }
}

function real(runtime: RuntimeBinary): SuiteWorld {
  return {
    service: world.service,
    runtime,
    args,
    request: (program) =>
      world.request(args(program), { runtime, task: { openStdin: program.does === 'cat' } }),
    async [Symbol.asyncDispose]() {},
  };
}

taskServiceSuite('crun under conmon', () => real(CRUN));
taskServiceSuite('runc under conmon', () => real(RUNC));

/** What a fake process does with the program it was given. */
function play(process: FakeTask | FakeExec, [program = '', ...rest]: string[]): void {
  if (program === 'sh') process.exit(Number(rest[1]?.replace('exit ', '')));
  if (program !== 'echo') return;
  process.print(rest[1] ?? '');
  process.exit(0);
}

/** Copies what is written to a fake process to its output. */
function echoing(task: FakeTask): void {
  const connect = task.connect.bind(task);
  task.connect = (): FakeStdio => {
    const stdio = connect();
    stdio.write = async (data) => stdio.push({ stream: 'stdout', data: Buffer.from(data) });
    stdio.closeInput = () => task.exit(0);
    return stdio;
  };
}

taskServiceSuite('tasks without processes', () => {
  const service = new FakeTasks();
  service.prepare = (task) => {
    const wanted = task.request.spec.process?.args ?? [];
    if (wanted[0] === 'cat') echoing(task);
    task.onStart = () => play(task, wanted);
    task.onExec = (exec) => play(exec, exec.request.process.args);
  };
  return {
    service,
    runtime: CRUN,
    args,
    request(program) {
      if (program.does === 'not exist') {
        const text = 'exec: "nosuch": executable file not found in $PATH';
        service.failNext = new WharfError('not-found', text);
      }
      return world.request(args(program));
    },
    async [Symbol.asyncDispose]() {},
  };
});
