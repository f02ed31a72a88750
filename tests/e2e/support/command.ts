import { type ChildProcess, spawn } from 'node:child_process';

/** How a command ended and what it printed. */
export interface Outcome {
  /** Exit code; null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** Given to stdin, which then ends; without it stdin is /dev/null. */
  input?: string | Uint8Array;
  env?: Record<string, string>;
  cwd?: string;
  /** Milliseconds after which the command counts as stuck and is killed. */
  timeout?: number;
}

/** Runs a command to its end. Never rejects for an exit code; rejects when it can't be run or is stuck. */
export async function execute(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Outcome> {
  const session = new Session(file, args, {
    ...options,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
  });
  if (options.input !== undefined) session.end(options.input);
  return session.exited;
}

/** A command that runs while the test talks to it. */
export class Session {
  readonly child: ChildProcess;
  /** Settles when the command has ended and its output was read. */
  readonly exited: Promise<Outcome>;
  stdout = '';
  stderr = '';
  readonly #title: string;
  #waiting = new Set<() => void>();
  #ended = false;

  constructor(
    file: string,
    args: readonly string[],
    options: CommandOptions & { stdin?: 'ignore' | 'pipe' } = {},
  ) {
    const { env, cwd, timeout = 60_000, stdin = 'pipe' } = options;
    this.#title = [file, ...args].join(' ').slice(0, 300);
    this.child = spawn(file, args, {
      stdio: [stdin, 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      ...(cwd ? { cwd } : {}),
    });
    // A command that closes its stdin early is an outcome of its own, seen in its exit code.
    this.child.stdin?.on('error', () => undefined);
    this.exited = this.#collect(timeout);
    this.exited.catch(() => undefined);
  }

  #collect(timeout: number): Promise<Outcome> {
    const { child } = this;
    const note = () => {
      for (const wake of this.#waiting) wake();
    };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      note();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      note();
    });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`stuck for ${timeout} ms: ${this.#title}\n${this.#printed()}`));
      }, timeout);
      child.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        this.#ended = true;
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
        note();
      });
    });
  }

  #printed(): string {
    return `stdout: ${this.stdout.slice(-2000)}\nstderr: ${this.stderr.slice(-2000)}`;
  }

  /** Waits until stdout (or stderr) has something; fails when the command ends without it. */
  until(pattern: RegExp | string, stream: 'stdout' | 'stderr' = 'stdout', timeout = 20_000): Promise<void> {
    const found = () =>
      typeof pattern === 'string' ? this[stream].includes(pattern) : pattern.test(this[stream]);
    if (found()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const finish = (error?: Error) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        if (error) reject(error);
        else resolve();
      };
      const fail = (why: string) =>
        finish(new Error(`${why} without ${pattern} on ${stream}: ${this.#title}\n${this.#printed()}`));
      const timer = setTimeout(() => fail(`${timeout} ms`), timeout);
      const check = () => {
        if (found()) finish();
        else if (this.#ended) fail('ended');
      };
      this.#waiting.add(check);
      check();
    });
  }

  send(text: string | Uint8Array): void {
    this.child.stdin?.write(text);
  }

  /** Sends what is given, then the end of input. */
  end(text?: string | Uint8Array): void {
    if (text === undefined) this.child.stdin?.end();
    else this.child.stdin?.end(text);
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.child.kill(signal);
  }
}

/** Repeats a look until it shows what is wanted; for states that announce themselves by no event. */
export async function eventually<T>(
  look: () => Promise<T> | T,
  wanted: (value: T) => boolean,
  what: string,
  timeout = 15_000,
): Promise<T> {
  const until = Date.now() + timeout;
  for (;;) {
    const value = await look();
    if (wanted(value)) return value;
    if (Date.now() > until)
      throw new Error(`not within ${timeout} ms: ${what}; last seen: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
