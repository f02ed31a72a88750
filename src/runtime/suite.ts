import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isKind, newId } from '../base/index.ts';
import type { RuntimeBinary, Task, TaskExit, TaskRequest, TaskService, TaskStdio } from './types.ts';

export { FakeExec, FakeStdio, FakeTask, FakeTasks, sampleCgroupStats } from './fake-tasks.ts';

/** What a program of the suite does. */
export type SuiteProgram =
  | { does: 'exit'; code: number }
  | { does: 'sleep' }
  /** Prints its text on stdout and ends. */
  | { does: 'print'; text: string }
  /** Copies stdin to stdout. */
  | { does: 'cat' }
  /** Is not there. */
  | { does: 'not exist' };

/** One implementation, opened for the suite. */
export interface SuiteWorld extends AsyncDisposable {
  service: TaskService;
  runtime: RuntimeBinary;
  request(program: SuiteProgram): TaskRequest;
  /** The process that runs the program in an exec. */
  args(program: SuiteProgram): string[];
}

const MISSING = /exec: "nosuch": executable file not found in \$PATH$/;

async function text(stdio: TaskStdio | undefined): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const { data } of stdio?.output ?? []) pieces.push(data);
  return Buffer.concat(pieces).toString();
}

/** The promises of `TaskService`, `Task` and `ExecTask`, for whichever implementation. */
export function taskServiceSuite(name: string, open: () => SuiteWorld): void {
  describe(name, () => {
    let world: SuiteWorld;
    before(() => {
      world = open();
    });
    after(() => world[Symbol.asyncDispose]());

    const created = (program: SuiteProgram) => world.service.create(world.request(program));
    const running = async (program: SuiteProgram = { does: 'sleep' }): Promise<Task> => {
      const task = await created(program);
      await task.start();
      return task;
    };
    const killed = async (task: Task): Promise<TaskExit> => {
      await task.kill(9);
      const exit = await task.exited;
      await task.delete();
      return exit;
    };
    const execRequest = (task: TaskRequest, program: SuiteProgram) => ({
      execId: newId(),
      process: { ...(task.spec.process as NonNullable<typeof task.spec.process>), args: world.args(program) },
      openStdin: program.does === 'cat',
    });

    it('tells the code and the time of an end', async () => {
      const before = BigInt(Date.now()) * 1_000_000n;
      const task = await running({ does: 'exit', code: 7 });
      const exit = await task.exited;
      assert.equal(exit.code, 7);
      assert.equal(exit.oomKilled, false);
      assert.equal(exit.lost, undefined);
      assert.ok(exit.at === 0n || exit.at >= before - 50_000_000n);
      await task.delete();
    });

    it('tells the same end to everybody who asks, also later', async () => {
      const task = await running({ does: 'exit', code: 0 });
      const [one, two] = await Promise.all([task.exited, task.exited]);
      assert.deepEqual(one, two);
      assert.deepEqual(await task.exited, one);
      await task.delete();
    });

    it('does not run a program before its start', async () => {
      const task = await created({ does: 'print', text: 'early' });
      const stdio = await task.attach();
      let ended = false;
      void task.exited.then(() => {
        ended = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.equal(ended, false);
      await task.start();
      assert.equal(await text(stdio), 'early');
      assert.equal((await task.exited).code, 0);
      await task.delete();
    });

    it('carries input to the program and its end', async () => {
      const task = await created({ does: 'cat' });
      const stdio = await task.attach();
      await task.start();
      await stdio.write(Buffer.from('over and out\n'));
      stdio.closeInput();
      assert.equal(await text(stdio), 'over and out\n');
      assert.equal((await task.exited).code, 0);
      await task.delete();
    });

    it('ends output after close, and the process goes on', async () => {
      const task = await created({ does: 'sleep' });
      const stdio = await task.attach();
      await task.start();
      stdio.close();
      stdio.close();
      assert.equal(await text(stdio), '');
      assert.ok((await task.pids()).includes(task.pid));
      await killed(task);
    });

    it('refuses a program that is not there, and keeps nothing of it', async () => {
      const request = world.request({ does: 'not exist' });
      await assert.rejects(world.service.create(request), (thrown) => {
        assert.ok(isKind(thrown, 'not-found'), String(thrown));
        assert.match((thrown as Error).message, MISSING);
        return true;
      });
      assert.equal(await world.service.adopt(request.id, world.runtime, false), undefined);
    });

    it('ends by signals with 128 + n', async () => {
      assert.equal((await killed(await running())).code, 137);
    });

    it('signals all processes', async () => {
      const task = await running();
      await task.kill(9, { all: true });
      assert.equal((await task.exited).code, 137);
      await task.delete();
    });

    it('says not-found to a signal for an ended process', async () => {
      const task = await running({ does: 'exit', code: 0 });
      await task.exited;
      await assert.rejects(task.kill(15), (thrown) => isKind(thrown, 'not-found'));
      await task.delete();
    });

    it('pauses and goes on', async () => {
      const task = await running();
      await task.pause();
      await task.resume();
      assert.equal((await killed(task)).code, 137);
    });

    it('gives figures while it runs, and none after', async () => {
      const task = await running();
      const stats = await task.stats();
      assert.ok(stats && stats.pidsCurrent >= 1 && stats.cpuTotalNanos > 0);
      await task.kill(9);
      await task.exited;
      assert.equal(await task.stats(), undefined);
      await task.delete();
    });

    it('takes limits of a running container', async () => {
      const task = await running();
      await task.update({
        memory: { limit: 64 << 20, swap: 128 << 20 },
        cpu: { shares: 512 },
        pids: { limit: 50 },
      });
      await killed(task);
    });

    it('runs one more process, with and without its output', async () => {
      const request = world.request({ does: 'sleep' });
      const task = await world.service.create(request);
      await task.start();
      const silent = await task.exec(execRequest(request, { does: 'exit', code: 3 }), { attach: false });
      assert.equal(silent.stdio, undefined);
      assert.equal((await silent.exited).code, 3);
      const said = await task.exec(execRequest(request, { does: 'print', text: 'hi' }), { attach: true });
      assert.equal(await text(said.stdio), 'hi');
      assert.equal((await said.exited).code, 0);
      assert.ok(said.pid > 0 && said.pid !== task.pid);
      await killed(task);
    });

    it('kills an exec alone', async () => {
      const request = world.request({ does: 'sleep' });
      const task = await world.service.create(request);
      await task.start();
      const exec = await task.exec(execRequest(request, { does: 'sleep' }), { attach: false });
      assert.ok((await task.pids()).length >= 2);
      exec.kill(9);
      assert.equal((await exec.exited).code, 137);
      assert.ok((await task.pids()).includes(task.pid));
      await killed(task);
    });

    it('refuses to exec what is not there; the container goes on', async () => {
      const request = world.request({ does: 'sleep' });
      const task = await world.service.create(request);
      await task.start();
      for (const attach of [true, false]) {
        await assert.rejects(task.exec(execRequest(request, { does: 'not exist' }), { attach }), (thrown) => {
          assert.ok(isKind(thrown, 'not-found'), String(thrown));
          return true;
        });
      }
      await killed(task);
    });

    it('is adopted while it runs, and after its end', async () => {
      const request = world.request({ does: 'sleep' });
      const first = await world.service.create(request);
      await first.start();
      const task = await world.service.adopt(request.id, world.runtime, false);
      assert.equal(task?.pid, first.pid);
      await task?.kill(9);
      assert.equal((await task?.exited)?.code, 137);
      const late = await world.service.adopt(request.id, world.runtime, false);
      assert.equal((await late?.exited)?.code, 137);
      await late?.delete();
      assert.equal(await world.service.adopt(request.id, world.runtime, false), undefined);
    });

    it('deletes a running task by killing it, and twice', async () => {
      const task = await running();
      await Promise.all([task.delete(), task.delete()]);
      await task.delete();
      assert.equal((await task.exited).code, 137);
      assert.equal(await world.service.adopt(task.id, world.runtime, false), undefined);
    });

    it('deletes a task that was never started', async () => {
      const task = await created({ does: 'sleep' });
      await task.delete();
      await task.exited;
      assert.equal(await world.service.adopt(task.id, world.runtime, false), undefined);
    });

    it('knows nothing of tasks that were never made', async () => {
      assert.equal(await world.service.adopt(newId(), world.runtime, false), undefined);
      await world.service.purge(newId());
    });
  });
}
