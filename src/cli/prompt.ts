import type { Context } from './command.ts';

/** The user ended the question with Ctrl-C. */
export class PromptEnded extends Error {}

const [CTRL_C, CTRL_D, CTRL_U, BACKSPACE, DELETE] = ['\u0003', '\u0004', '\u0015', '\b', '\u007f'];

/** Asks on the terminal, line by line. Holds the standard input until it is disposed. */
export class Prompt implements Disposable {
  private readonly context: Context;
  /** What was typed before it was asked for. */
  private pending = '';

  constructor(context: Context) {
    this.context = context;
    context.stdin.setEncoding('utf8');
  }

  /** A line without the blanks around it; empty at the end of the input. Throws PromptEnded. */
  ask(question: string): Promise<string> {
    this.context.print(question);
    return this.line(false);
  }

  /** The same, without showing what is typed. */
  async askHidden(question: string): Promise<string> {
    const { stdin } = this.context;
    stdin.setRawMode?.(true);
    try {
      this.context.print(question);
      const line = await this.line(true);
      this.context.print('\n');
      return line;
    } finally {
      stdin.setRawMode?.(false);
    }
  }

  [Symbol.dispose](): void {
    this.context.stdin.pause();
  }

  private line(raw: boolean): Promise<string> {
    const { stdin } = this.context;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let typed = '';
    const interrupted = () => reject(new PromptEnded());
    const ended = () => resolve(typed.trim());
    /** Takes characters up to the end of the line; true when it is reached. */
    const take = (text: string): boolean => {
      for (const [at, char] of [...text].entries()) {
        if (raw && char === CTRL_C) {
          interrupted();
          return true;
        }
        if (char === '\n' || char === '\r' || (raw && char === CTRL_D)) {
          this.pending = [...text].slice(at + 1).join('');
          ended();
          return true;
        }
        if (raw && (char === BACKSPACE || char === DELETE)) typed = [...typed].slice(0, -1).join('');
        else if (raw && char === CTRL_U) typed = '';
        else typed += char;
      }
      return false;
    };
    const before = this.pending;
    this.pending = '';
    if (take(before)) return promise;
    stdin.on('data', take).on('end', ended);
    process.once('SIGINT', interrupted);
    stdin.resume();
    return promise.finally(() => {
      stdin.off('data', take).off('end', ended);
      process.off('SIGINT', interrupted);
      stdin.pause();
    });
  }
}
