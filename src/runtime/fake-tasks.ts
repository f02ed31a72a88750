import { WharfError } from '../base/index.ts';
import type { OciResources } from './spec-types.ts';
import type {
  CgroupStats,
  ExecRequest,
  ExecTask,
  OutputFrame,
  RuntimeBinary,
  Task,
  TaskExit,
  TaskRequest,
  TaskService,
  TaskStdio,
} from './types.ts';

/** A connection to a fake process. */
export class FakeStdio implements TaskStdio {
  readonly written: Buffer[] = [];
  inputClosed = false;
  closed = false;
  private readonly frames: OutputFrame[] = [];
  private wake: (() => void) | undefined;
  private ended = false;

  readonly output: AsyncIterable<OutputFrame> = { [Symbol.asyncIterator]: () => this.read() };

  push(frame: OutputFrame): void {
    this.frames.push(frame);
    this.wake?.();
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }

  async write(data: Uint8Array): Promise<void> {
    this.written.push(Buffer.from(data));
  }

  closeInput(): void {
    this.inputClosed = true;
  }

  close(): void {
    this.closed = true;
    this.end();
  }

  private async *read(): AsyncGenerator<OutputFrame> {
    for (;;) {
      const frame = this.frames.shift();
      if (frame) yield frame;
      else if (this.ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    }
  }
}

/** A process that does what its test says. */
class FakeProcess {
  readonly pid: number;
  readonly exited: Promise<TaskExit>;
  readonly signals: number[] = [];
  /** Signals that end it. */
  deadly = new Set([9, 15]);
  readonly connections: FakeStdio[] = [];
  readonly sizes: [number, number][] = [];
  ended = false;
  private readonly settle: (exit: TaskExit) => void;
  private readonly now: () => bigint;

  constructor(pid: number, now: () => bigint) {
    this.pid = pid;
    this.now = now;
    const { promise, resolve } = Promise.withResolvers<TaskExit>();
    this.exited = promise;
    this.settle = resolve;
  }

  connect(): FakeStdio {
    const stdio = new FakeStdio();
    this.connections.push(stdio);
    return stdio;
  }

  print(text: string, stream: OutputFrame['stream'] = 'stdout'): void {
    for (const one of this.connections) one.push({ stream, data: Buffer.from(text) });
  }

  exit(code: number, extra: Partial<TaskExit> = {}): void {
    if (this.ended) return;
    this.ended = true;
    for (const one of this.connections) one.end();
    this.settle({ code, at: this.now(), oomKilled: false, ...extra });
  }

  signal(signal: number): void {
    if (this.ended) throw new WharfError('not-found', 'process already finished');
    this.signals.push(signal);
    if (this.deadly.has(signal)) this.exit(128 + signal);
  }

  async resize(height: number, width: number): Promise<void> {
    this.sizes.push([height, width]);
  }
}

export class FakeExec extends FakeProcess implements ExecTask {
  readonly execId: string;
  readonly stdio: FakeStdio | undefined;
  readonly request: ExecRequest;

  constructor(pid: number, now: () => bigint, request: ExecRequest, attach: boolean) {
    super(pid, now);
    this.request = request;
    this.execId = request.execId;
    this.stdio = attach ? this.connect() : undefined;
  }

  kill(signal: number): void {
    this.signal(signal);
  }
}

export class FakeTask extends FakeProcess implements Task {
  readonly id: string;
  readonly request: TaskRequest;
  state: 'created' | 'running' | 'paused' | 'deleted' = 'created';
  readonly execs: FakeExec[] = [];
  readonly updates: OciResources[] = [];
  /** Called at `start`, for programs that print or end at once. */
  onStart: ((task: FakeTask) => void) | undefined;
  /** Called with each new exec. */
  onExec: ((exec: FakeExec) => void) | undefined;
  stats = async (): Promise<CgroupStats | undefined> => (this.ended ? undefined : sampleCgroupStats());

  constructor(pid: number, now: () => bigint, request: TaskRequest) {
    super(pid, now);
    this.id = request.id;
    this.request = request;
  }

  async start(): Promise<void> {
    this.state = 'running';
    this.onStart?.(this);
  }

  async attach(): Promise<FakeStdio> {
    return this.connect();
  }

  async reopenLog(): Promise<void> {}

  async kill(signal: number): Promise<void> {
    this.signal(signal);
  }

  async pause(): Promise<void> {
    this.state = 'paused';
  }

  async resume(): Promise<void> {
    this.state = 'running';
  }

  async update(resources: OciResources): Promise<void> {
    this.updates.push(resources);
  }

  async exec(request: ExecRequest, options: { attach: boolean }): Promise<FakeExec> {
    const program = request.process.args[0] ?? '';
    if (program.startsWith('nosuch')) {
      throw new WharfError('not-found', `executable file \`${program}\` not found in $PATH`);
    }
    const exec = new FakeExec(this.pid + this.execs.length + 1, () => 0n, request, options.attach);
    this.execs.push(exec);
    setImmediate(() => this.onExec?.(exec));
    return exec;
  }

  async pids(): Promise<number[]> {
    return [this.pid, ...this.execs.filter((exec) => !exec.ended).map((exec) => exec.pid)];
  }

  async delete(): Promise<void> {
    this.exit(137);
    this.state = 'deleted';
  }
}

/** Tasks without processes, in memory: the contract of `TaskService` for tests of the lifecycle. */
export class FakeTasks implements TaskService {
  /** The last task of each container. */
  readonly tasks = new Map<string, FakeTask>();
  readonly purged: string[] = [];
  /** Thrown by the next `create`. */
  failNext: WharfError | undefined;
  /** Applied to each new task before its start. */
  prepare: ((task: FakeTask) => void) | undefined;
  left: string[] = [];
  now: () => bigint = () => 0n;
  private nextPid = 1_000;

  async create(request: TaskRequest): Promise<FakeTask> {
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure) throw failure;
    this.nextPid += 100;
    const task = new FakeTask(this.nextPid, this.now, request);
    this.tasks.set(request.id, task);
    this.prepare?.(task);
    return task;
  }

  async adopt(id: string, _runtime: RuntimeBinary, _terminal: boolean): Promise<FakeTask | undefined> {
    const task = this.tasks.get(id);
    return task?.state === 'deleted' ? undefined : task;
  }

  async leftovers(): Promise<string[]> {
    return this.left;
  }

  async purge(id: string): Promise<void> {
    this.purged.push(id);
  }

  of(id: string): FakeTask {
    const task = this.tasks.get(id);
    if (!task) throw new Error(`no task ${id}`);
    return task;
  }
}

/** Figures of a small container on cgroup v1. */
export function sampleCgroupStats(): CgroupStats {
  return {
    cgroupVersion: 1,
    cpuTotalNanos: 3_000,
    cpuUserNanos: 2_000,
    cpuSystemNanos: 1_000,
    perCpuNanos: [1_500, 1_500],
    throttling: { periods: 0, throttledPeriods: 0, throttledNanos: 0 },
    memoryUsage: 4_096,
    memoryMaxUsage: 8_192,
    memoryLimit: 2 ** 63,
    memoryStats: { cache: 0, hierarchical_memory_limit: 2 ** 63 },
    memoryFailcnt: 0,
    pidsCurrent: 1,
    pidsLimit: 0,
    io: [{ major: 8, minor: 0, op: 'read', value: 512 }],
    ioCount: [{ major: 8, minor: 0, op: 'read', value: 1 }],
  };
}
