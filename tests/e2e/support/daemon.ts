import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { stockClient, WHARF, WHARFD } from './clients.ts';
import { type CommandOptions, eventually, execute, type Outcome, Session } from './command.ts';
import { guard } from './guardian.ts';
import { clearLeftovers, type DaemonNames, removeFiles } from './leftovers.ts';
import { Terminal } from './terminal.ts';

/** An engine that is already there (a `DOCKER_HOST`): the tests then check themselves against it, not Wharf. */
const FOREIGN = process.env['E2E_ENGINE'];

export interface DaemonOptions {
  /** Further flags of wharfd. */
  flags?: string[];
  /** Makes the image `busybox` after the start; true by default. */
  busybox?: boolean;
  /** Contents of the configuration file. */
  config?: Record<string, unknown>;
  /** `default` leaves the choice of subnets to the daemon; otherwise it has sixteen of its own. */
  pools?: 'default';
  /** Instead of a folder in the temporary one. */
  dataRoot?: string;
  /** Command that starts wharfd, put before it: `nsenter --net=…`. */
  launcher?: string[];
}

/** An answer of the daemon's API. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** A wharfd of one's own: own roots, socket, bridge, subnet, nft table and cgroup parent. */
export class TestDaemon implements DaemonNames {
  readonly id = randomBytes(3).toString('hex');
  readonly temporary = mkdtempSync(join(tmpdir(), `wharf-e2e-${this.id}-`));
  readonly dataRoot: string;
  // Socket paths have at most 107 bytes, container ids take 64 of them.
  readonly execRoot = `/run/wharf-test-${this.id}`;
  readonly socket = join(this.execRoot, 'wharf.sock');
  readonly host = FOREIGN ?? `unix://${this.socket}`;
  readonly bridge = `wt${this.id}`;
  readonly nftTable = `wharf_test_${this.id}`;
  readonly cgroupParent = `/wharf-test-${this.id}`;
  /** First three octets of the sixteen /24 subnets that this daemon may use. */
  readonly #space = `10.${randomInt(200, 250)}.${16 * randomInt(16)}`;
  /** The default bridge's subnet, the first of them. */
  readonly subnet = `${this.#space}.0/24`;
  /** Bridges of networks that a test made, by name. */
  readonly userBridges: string[] = [];
  readonly logFile = join(this.temporary, 'wharfd.log');
  readonly configFile = join(this.temporary, 'daemon.json');
  readonly #options: DaemonOptions;
  #release = (): void => undefined;
  #child: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);
  /** Whether the daemon was told to end; otherwise its end is a failure of the tests, whenever it comes. */
  #toldToEnd = false;
  readonly #crashes: string[] = [];

  constructor(options: DaemonOptions = {}) {
    this.#options = options;
    this.dataRoot = options.dataRoot ?? join(this.temporary, 'data');
    if (!FOREIGN) this.#release = guard({ kind: 'daemon', names: this.#names(), temporary: this.temporary });
    mkdirSync(join(this.temporary, 'client'));
    this.configure(options.config ?? {});
  }

  #names(): DaemonNames {
    const { dataRoot, execRoot, bridge, nftTable, cgroupParent } = this;
    return { dataRoot, execRoot, bridge, nftTable, cgroupParent };
  }

  /** Pid of the running daemon. */
  get pid(): number {
    assert.ok(this.#child?.pid, 'the daemon does not run');
    return this.#child.pid;
  }

  /** Writes the configuration file; SIGHUP or a restart takes it over. */
  configure(config: Record<string, unknown>): void {
    writeFileSync(this.configFile, JSON.stringify(config));
  }

  /** The command line of this daemon. */
  args(): string[] {
    return [
      ...['--config-file', this.configFile, '--data-root', this.dataRoot, '--exec-root', this.execRoot],
      ...['--host', `unix://${this.socket}`, '--group', 'root', '--bridge', this.bridge],
      ...['--nft-table', this.nftTable],
      ...(this.#options.pools ? [] : ['--default-address-pool', `base=${this.#space}.0/20,size=24`]),
      ...['--cgroup-parent', this.cgroupParent, ...(this.#options.flags ?? [])],
    ];
  }

  /** Starts the daemon and makes the base image. */
  async start(): Promise<void> {
    if (FOREIGN) return;
    await this.run();
    if (this.#options.busybox !== false) {
      const made = await this.wharf('image', 'bootstrap', 'busybox');
      assert.equal(made.code, 0, made.stderr);
    }
  }

  /** Starts the process and waits until it answers. */
  async run(): Promise<void> {
    this.spawn();
    const answers = async () =>
      this.#child === undefined ||
      (existsSync(this.socket) && (await this.api('GET', '/_ping').catch(() => undefined))?.status === 200);
    await eventually(answers, Boolean, `wharfd answers\n${this.log()}`, 20_000);
    if (this.#child === undefined) throw new Error(`wharfd ended with ${await this.#ended}\n${this.log()}`);
  }

  /** Starts the process and does not wait. */
  spawn(): void {
    assert.equal(this.#child, undefined, 'the daemon runs already');
    const log = openSync(this.logFile, 'a');
    const [file, ...args] = [...(this.#options.launcher ?? []), WHARFD, ...this.args()];
    const child = spawn(file as string, args, { stdio: ['ignore', 'ignore', log] });
    closeSync(log);
    this.#child = child;
    this.#toldToEnd = false;
    this.#ended = new Promise((resolve) => {
      child.on('exit', (code, signal) => {
        this.#child = undefined;
        if (!this.#toldToEnd) this.#crashes.push(`wharfd ended by itself with ${code ?? signal}`);
        resolve(code);
      });
    });
  }

  /** Sends a signal; for one that ends the daemon, waits for the end and returns the exit code. */
  async signal(signal: NodeJS.Signals): Promise<number | null> {
    this.#toldToEnd ||= signal !== 'SIGHUP';
    this.#child?.kill(signal);
    return signal === 'SIGHUP' ? null : this.#ended;
  }

  /** Ends the daemon without any chance to clean up. */
  async kill(): Promise<void> {
    await this.signal('SIGKILL');
  }

  /** Says whether the end of the daemon is what the test brings about, in a way of its own; otherwise it is a failure. */
  expectEnd(expected: boolean): void {
    this.#toldToEnd = expected;
  }

  /** Resolves when the daemon has ended. */
  async ended(): Promise<void> {
    await this.#ended;
  }

  /** Ends the daemon in order. */
  stop(): Promise<number | null> {
    return this.#child ? this.signal('SIGTERM') : Promise.resolve(null);
  }

  /** What the daemon has logged, from an offset in bytes on. */
  log(from = 0): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile).subarray(from).toString() : '';
  }

  logSize(): number {
    return existsSync(this.logFile) ? statSync(this.logFile).size : 0;
  }

  /** Environment that leads clients to this daemon and to no settings of the user. */
  environment(): Record<string, string> {
    return { DOCKER_HOST: this.host, WHARF_HOST: this.host, DOCKER_CONFIG: join(this.temporary, 'client') };
  }

  #clientArgs(args: readonly string[]): string[] {
    const made = FOREIGN && (args[0] === 'run' || args[0] === 'create');
    const marked = made ? [args[0] as string, '--label', `e2e=${this.id}`, ...args.slice(1)] : args;
    return ['-H', this.host, ...marked];
  }

  /** Runs the stock client to its end. */
  docker(...args: string[]): Promise<Outcome> {
    return this.dockerWith({}, ...args);
  }

  /** As `docker`, with input, environment or time limit. */
  dockerWith(options: CommandOptions, ...args: string[]): Promise<Outcome> {
    const env = { ...this.environment(), ...options.env };
    return execute(stockClient(), this.#clientArgs(args), { ...options, env });
  }

  /** Runs the stock client, which must succeed; its output without the last line feed. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.docker(...args);
    assert.equal(code, 0, `docker ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
    return stdout.replace(/\n$/, '');
  }

  /** Runs the project's own client to its end. */
  wharf(...args: string[]): Promise<Outcome> {
    return execute(WHARF, this.#clientArgs(args), { env: this.environment() });
  }

  /** Starts the stock client and goes on talking to it. */
  session(...args: string[]): Session {
    return new Session(stockClient(), this.#clientArgs(args), { env: this.environment() });
  }

  /** Starts the stock client in a terminal. */
  terminal(size: { rows: number; columns: number }, ...args: string[]): Terminal {
    return new Terminal(stockClient(), this.#clientArgs(args), size, this.environment());
  }

  /** One field of an object, by a Go template. */
  inspect(name: string, template: string): Promise<string> {
    return this.ok('inspect', '--format', template, name);
  }

  /** One request over the socket. */
  api(method: string, path: string, body?: unknown): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          socketPath: this.host.replace(/^unix:\/\//, ''),
          method,
          path,
          headers: text
            ? { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }
            : {},
          agent: false,
        },
        (incoming) => {
          let received = '';
          incoming.setEncoding('utf8').on('data', (chunk) => {
            received += chunk;
          });
          incoming.on('error', reject);
          incoming.on('end', () =>
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: received }),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end(text);
    });
  }

  /** Removes all containers, asks the doctor, ends the daemon, and fails when anything of it is left. */
  async dispose(): Promise<void> {
    const problems: string[] = [...this.#crashes];
    if (this.#child) {
      const all = (await this.docker('ps', '-aq')).stdout.split('\n').filter(Boolean);
      if (all.length > 0) {
        const removed = await this.docker('rm', '--force', '--volumes', ...all);
        if (removed.code !== 0) problems.push(`containers can't be removed: ${removed.stderr}`);
      }
      problems.push(...(await this.#removeNetworks()));
      const doctor = await this.wharf('doctor', '--verify');
      if (doctor.code !== 0) problems.push(`wharf doctor --verify: ${doctor.stdout}${doctor.stderr}`);
      const code = await this.stop();
      if (code !== 0) problems.push(`wharfd ended with ${code}`);
    }
    problems.push(...(await clearLeftovers(this)).map((left) => `left over: ${left}`));
    removeFiles(this, this.temporary);
    this.#release();
    assert.deepEqual(problems, []);
  }

  /** Removes the networks that tests made, and keeps in mind which bridges must be gone then. */
  async #removeNetworks(): Promise<string[]> {
    const ids = (await this.docker('network', 'ls', '-q', '--no-trunc', '--filter', 'type=custom')).stdout
      .split('\n')
      .filter(Boolean);
    this.userBridges.push(...ids.map((id) => `wh-${id.slice(0, 12)}`));
    if (ids.length === 0) return [];
    const { code, stderr } = await this.docker('network', 'rm', ...ids);
    return code === 0 ? [] : [`networks can't be removed: ${stderr}`];
  }

  /** Removes what tests made on an engine that is not ours. */
  async leaveForeign(): Promise<void> {
    const made = (await this.ok('ps', '-aq', '--filter', `label=e2e=${this.id}`)).split('\n').filter(Boolean);
    if (made.length > 0) await this.ok('rm', '--force', '--volumes', ...made);
    removeFiles(this, this.temporary);
  }
}

/** A daemon for the tests of the enclosing `describe`, started before and ended after them; the log of failures is printed. */
export function useDaemon(options: DaemonOptions = {}): TestDaemon {
  const daemon = new TestDaemon(options);
  let seen = 0;
  before(() => daemon.start());
  afterEach((context) => {
    const failed = 'passed' in context && context.passed === false;
    if (failed && !FOREIGN) console.log(`wharfd's log meanwhile:\n${daemon.log(seen).slice(-4000)}`);
    seen = daemon.logSize();
  });
  after(() => (FOREIGN ? daemon.leaveForeign() : daemon.dispose()));
  return daemon;
}

/** Why a test that needs a daemon of ours (kill, flags, host objects) can't run; false when it can. */
export const needsOwnDaemon: string | false = FOREIGN
  ? 'it handles the daemon itself, and E2E_ENGINE names one that is not ours'
  : false;
