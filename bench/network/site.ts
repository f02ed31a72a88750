import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { dockerdOf, pssOfTree } from '../memory.ts';
import { command, type Subject, timed } from '../subjects.ts';

/** A container that runs until it is removed. */
export interface Container {
  name: string;
  pid: number;
  /** Its IPv4 address on the network it was started on. */
  address: string;
}

/** An engine under measurement, and what was made on it. */
export class Site {
  readonly name: string;
  readonly subject: Subject;
  readonly mark = randomBytes(3).toString('hex');
  /** The network of its own on which containers find each other. */
  readonly network = `bench-${this.mark}`;
  /** The engine's process, in the network namespace that its containers know as the host. */
  readonly pid: number;

  /** `pid` is the engine's process; the one of a reference engine is looked for. */
  constructor(subject: Subject, pid?: number) {
    this.subject = subject;
    this.name = subject.name;
    const found = pid ?? dockerdOf(subject.host);
    if (found === undefined) throw new Error(`the process of ${this.name} is not on this machine`);
    this.pid = found;
    this.run('network', 'create', '--label', `wharf-bench=${this.mark}`, this.network);
  }

  /** Runs a command of the client that must succeed. */
  run(...args: string[]): string {
    return command(this.subject, ...args).trim();
  }

  /** Milliseconds that a command of the client takes. */
  time(...args: string[]): number {
    const [file = '', ...first] = this.subject.command;
    return timed(file, [...first, ...args], this.subject.env);
  }

  /** Arguments of `run` for a container that is removed by `dispose` at the latest. */
  runArgs(name: string, ...flags: string[]): string[] {
    const label = ['--label', `wharf-bench=${this.mark}`, '--stop-signal', 'KILL'];
    return ['run', '-d', '--name', this.named(name), ...label, ...flags, 'busybox', 'sleep', '86400'];
  }

  /** A name that no other run has. */
  named(name: string): string {
    return `bench-${name}-${this.mark}`;
  }

  start(name: string, ...flags: string[]): Container {
    this.run(...this.runArgs(name, ...flags));
    const template = '{{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
    const [pid, address = ''] = this.run('inspect', '-f', template, this.named(name)).split(' ');
    return { name: this.named(name), pid: Number(pid), address };
  }

  remove(...names: string[]): void {
    this.run('rm', '-f', ...names);
  }

  /** Proportional set size of the engine with all processes below it, in bytes: daemon, proxies. */
  memory(): number {
    return pssOfTree(this.pid);
  }

  dispose(): void {
    const ids = this.run('ps', '-aq', '--filter', `label=wharf-bench=${this.mark}`).split('\n');
    const made = ids.filter(Boolean);
    if (made.length > 0) this.remove(...made);
    this.run('network', 'rm', this.network);
  }
}

/** Names of programs among these that this machine lacks. */
export function missingPrograms(...programs: string[]): string[] {
  return programs.filter((program) => spawnSync(program, ['--help']).error !== undefined);
}
