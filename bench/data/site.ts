import { randomBytes } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { command, type Subject, timed } from '../subjects.ts';

/** An engine under measurement, what was made on it, and the ways to ask it. */
export class DataSite {
  readonly name: string;
  readonly subject: Subject;
  readonly mark = randomBytes(3).toString('hex');
  readonly #images = new Set<string>();
  #made = 0;

  constructor(subject: Subject) {
    this.subject = subject;
    this.name = subject.name;
  }

  /** Runs a command of the client that must succeed. */
  run(...args: string[]): string {
    return command(this.subject, ...args).trim();
  }

  /** Milliseconds that a command of the client takes; its output is thrown away. */
  time(...args: string[]): number {
    const [file = '', ...first] = this.subject.command;
    return timed(file, [...first, ...args], this.subject.env);
  }

  /** A name that nothing else has. */
  fresh(name: string): string {
    return `bench-${name}-${this.mark}-${this.#made++}`;
  }

  get #label(): string {
    return `wharf-bench=${this.mark}`;
  }

  /** Makes a container that does not run; its name. */
  create(name: string, image = 'busybox', ...flags: string[]): string {
    const made = this.fresh(name);
    this.run('create', '--name', made, '--label', this.#label, ...flags, image, 'true');
    return made;
  }

  /** Flags of a `create` that is measured. */
  get createFlags(): string[] {
    return ['create', '--label', this.#label];
  }

  /** Name for an image that is removed by `dispose`. */
  image(name: string): string {
    const made = this.fresh(name);
    this.#images.add(made);
    return made;
  }

  dropImages(): void {
    if (this.#images.size > 0) this.run('rmi', '--force', ...this.#images);
    this.#images.clear();
  }

  /** Removes the containers that were made so far, with their anonymous volumes. */
  clear(): void {
    const ids = this.run('ps', '-aq', '--filter', `label=${this.#label}`).split('\n');
    const made = ids.filter(Boolean);
    if (made.length > 0) this.run('rm', '--force', '--volumes', ...made);
  }

  /** Milliseconds of one request without any client, from before the connection to the answer's last byte. */
  async get(path: string): Promise<number> {
    const begin = performance.now();
    const answer = await this.#ask('GET', path);
    for await (const _ of answer);
    return performance.now() - begin;
  }

  /** Milliseconds of sending a file, until the whole answer is there. */
  async put(path: string, file: string): Promise<number> {
    const begin = performance.now();
    const answer = await this.#ask('PUT', path, file);
    for await (const _ of answer);
    return performance.now() - begin;
  }

  #ask(method: string, path: string, file?: string): Promise<IncomingMessage> {
    const headers = file
      ? { 'Content-Type': 'application/x-tar', 'Content-Length': statSync(file).size }
      : {};
    const socketPath = this.subject.host.replace(/^unix:\/\//, '');
    return new Promise((resolve, reject) => {
      const outgoing = request({ socketPath, method, path, headers, agent: false }, (answer) => {
        if ((answer.statusCode ?? 500) < 400) resolve(answer);
        else reject(new Error(`${this.name}: ${method} ${path}: ${answer.statusCode}`));
      });
      outgoing.on('error', reject);
      if (file) createReadStream(file, { highWaterMark: 1 << 20 }).pipe(outgoing);
      else outgoing.end();
    });
  }

  dispose(): void {
    this.clear();
    this.dropImages();
  }
}
