import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLogReader } from './reader.ts';
import type { LogFormat, LogQuery } from './types.ts';

/** A folder with one log in it, and a hand that writes it as conmon does. Removed when disposed. */
export class LogFolder implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'wharf-logs-'));
  readonly path = join(this.directory, 'c.log');
  private second = 0;

  /** A record as conmon writes it, each one second after the one before. */
  record(text: string, options: { partial?: boolean; stderr?: boolean; zone?: string } = {}): string {
    const at = new Date(Date.UTC(2026, 0, 2, 3, 4, this.second++)).toISOString().slice(0, 19);
    const stream = options.stderr ? 'stderr' : 'stdout';
    return `${at}.000000001${options.zone ?? '+00:00'} ${stream} ${options.partial ? 'P' : 'F'} ${text}\n`;
  }

  lines(from: number, to: number): string {
    let all = '';
    for (let at = from; at <= to; at++) all += this.record(String(at));
    return all;
  }

  write(text: string, suffix = ''): void {
    writeFileSync(`${this.path}${suffix}`, text);
  }

  append(text: string): void {
    appendFileSync(this.path, text);
  }

  /** What the rotator and the monitor do together: the old file gets a number, a new one the name. */
  rotate(): void {
    renameSync(this.path, `${this.path}.1`);
    writeFileSync(`${this.path}.tmp`, '');
    renameSync(`${this.path}.tmp`, this.path);
  }

  /** Everything that a query finds, as the process printed it. */
  async text(query: Partial<LogQuery> = {}, signal = new AbortController().signal): Promise<string> {
    return (await this.encoded(query, {}, signal)).toString();
  }

  async encoded(
    query: Partial<LogQuery> = {},
    format: Partial<LogFormat> = {},
    signal = new AbortController().signal,
  ): Promise<Buffer> {
    const all: Buffer[] = [];
    const asked = { stdout: true, stderr: true, ...query };
    const form = { framed: false, timestamps: false, details: '', ...format };
    for await (const bytes of openLogReader().encode(this.path, asked, form, signal)) all.push(bytes);
    return Buffer.concat(all);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
