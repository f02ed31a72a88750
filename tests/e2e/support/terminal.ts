import { execute, type Outcome, Session } from './command.ts';

const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/**
 * A command in a real terminal, made by util-linux's `script` (it is on every Debian). The size is set and changed with
 * `stty` on the terminal's own device, so that the kernel sends SIGWINCH as for a window that a user drags.
 */
export class Terminal {
  readonly #session: Session;
  #device: string | undefined;

  constructor(
    file: string,
    args: readonly string[],
    size: { rows: number; columns: number } = { rows: 24, columns: 80 },
    env: Record<string, string> = {},
  ) {
    const command = `stty rows ${size.rows} cols ${size.columns}; echo "terminal=$(tty)"; exec ${[file, ...args].map(quote).join(' ')}`;
    this.#session = new Session(
      'script',
      ['--quiet', '--return', '--flush', '--command', command, '/dev/null'],
      {
        env: { ...env, SHELL: '/bin/sh', TERM: 'xterm' },
      },
    );
  }

  /** All that the terminal has shown so far. */
  get shown(): string {
    return this.#session.stdout;
  }

  /** Waits until the terminal shows something. */
  until(pattern: RegExp | string): Promise<void> {
    return this.#session.until(pattern);
  }

  /** Types keys, as they are: `\r` is Enter, `\x03` Ctrl-C. */
  type(keys: string): void {
    this.#session.send(keys);
  }

  /** Gives the terminal another size; the command gets SIGWINCH. */
  async resize(rows: number, columns: number): Promise<void> {
    await this.until('terminal=/');
    this.#device ??= /terminal=(\S+)/.exec(this.shown)?.[1];
    await execute('stty', ['-F', this.#device as string, 'rows', String(rows), 'cols', String(columns)]);
  }

  /** The command's end; its exit code is in `code`. */
  get exited(): Promise<Outcome> {
    return this.#session.exited;
  }

  kill(): void {
    this.#session.kill('SIGKILL');
  }
}
