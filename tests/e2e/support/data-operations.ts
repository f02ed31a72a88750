import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from './command.ts';
import type { TestDaemon } from './daemon.ts';
import { importImage } from './images.ts';

/** Something that moves or removes data, to be disturbed in its middle. */
export interface DataOperation {
  title: string;
  /** Makes what the operation is done to. */
  setUp?: () => Promise<unknown>;
  command: readonly string[];
  /** Throws unless the operation has had its whole effect. */
  check: () => Promise<void>;
  /** Takes the effect back, whether there is some or not. */
  undo: () => Promise<unknown>;
  /** Writes nothing where the containers' data is, so that a full disk there is no hindrance. */
  onlyReads?: boolean;
  /** Its data goes over the daemon's socket; there is hardly a call of the main thread but for that. */
  streams?: boolean;
}

/** How much the operations move. */
export interface Amount {
  smallFiles: number;
  largeBytes: number;
}

const LITTLE: Amount = { smallFiles: 40, largeBytes: 2 << 20 };
/** Label of what may be pruned; nothing else may. */
const DROP = 'drop=yes';

function writeTree(folder: string, { smallFiles, largeBytes }: Amount): void {
  mkdirSync(join(folder, 'small'), { recursive: true });
  for (let at = 0; at < smallFiles; at++)
    writeFileSync(join(folder, 'small', `f${at}`), randomBytes(100 + at * 30));
  writeFileSync(join(folder, 'large'), randomBytes(largeBytes));
}

/** Names and contents of all regular files below a folder, in one digest. */
function digestOfTree(folder: string): string {
  const hash = createHash('sha256');
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const path of entries.sort()) {
    const bytes = readFileSync(path);
    hash.update(`${path.slice(folder.length)} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

/** A daemon with data that nothing may harm, and what can be done beside it. */
export class DataScene {
  readonly #engine: TestDaemon;
  readonly #amount: Amount;
  /** On this machine, not on the daemon's disk. */
  readonly #tree: string;
  readonly #out: string;
  /** Folders that must stay as they are, with what they hold. */
  readonly #canaries = new Map<string, string>();

  constructor(engine: TestDaemon, amount: Amount = LITTLE) {
    this.#engine = engine;
    this.#amount = amount;
    this.#tree = join(engine.temporary, 'tree');
    this.#out = join(engine.temporary, 'out');
  }

  /** Makes the image, the containers and the canaries: a volume in use, one that is not, one that a running container had, and a bind mount. */
  async build(): Promise<void> {
    const engine = this.#engine;
    writeTree(this.#tree, this.#amount);
    mkdirSync(this.#out);
    await importImage(engine, 'filled', ['CMD ["sh"]'], (tree) => {
      writeTree(join(tree, 'data'), this.#amount);
    });
    const bound = join(engine.temporary, 'bound');
    mkdirSync(bound);
    for (const name of ['used', 'free', 'shared']) await engine.ok('volume', 'create', name);
    const volumes = ['-v', 'used:/used', '-v', 'shared:/shared', '-v', `${bound}:/bound`];
    await engine.ok('create', '--name', 'keeper', ...volumes, 'filled', 'true');
    await engine.ok('cp', this.#tree, 'keeper:/own');
    const places = ['used', 'free', 'shared'].map((name) =>
      engine.ok('volume', 'inspect', '-f', '{{.Mountpoint}}', name),
    );
    for (const place of [...(await Promise.all(places)), bound]) {
      writeFileSync(join(place, 'canary'), randomBytes(300_000));
      this.#canaries.set(place, digestOfTree(place));
    }
  }

  /** Throws unless what `wharf doctor --verify` asks for finds nothing, and all canaries are as they were. */
  async unharmed(when: string): Promise<void> {
    const { text } = await this.#engine.api('GET', '/wharf/verify');
    assert.equal(JSON.parse(text).ok, true, `${when}: ${text}`);
    for (const [place, digest] of this.#canaries)
      assert.equal(existsSync(place) && digestOfTree(place), digest, `${when}: the data in ${place}`);
  }

  /** After a disturbance: nothing is harmed, and the operation is done or can be done now. */
  async recovers(operation: DataOperation, when: string): Promise<void> {
    await this.unharmed(when);
    await this.completes(operation, when);
  }

  /** The operation is done or can be done now. */
  async completes(operation: DataOperation, when: string): Promise<void> {
    const done = await operation.check().then(
      () => true,
      () => false,
    );
    if (!done) await this.succeeds(operation, `${when}, then again`);
  }

  /** Does the operation, which must succeed, wholly. */
  async succeeds({ command, check }: DataOperation, when: string): Promise<void> {
    const { code, stderr } = await this.#engine.docker(...command);
    assert.equal(code, 0, `${when}: ${stderr}`);
    await check();
  }

  async #sameOut(source: string): Promise<void> {
    const folder = join(this.#out, 'copied');
    rmSync(folder, { recursive: true, force: true });
    await this.#engine.ok('cp', '-q', source, folder);
    assert.equal(digestOfTree(folder), digestOfTree(this.#tree), `what is in ${source}`);
  }

  async #names(...list: string[]): Promise<string[]> {
    return (await this.#engine.ok(...list)).split('\n').filter(Boolean);
  }

  /** Everything that is disturbed. */
  operations(): DataOperation[] {
    return [...this.#copies(), ...this.#images(), ...this.#volumes(), ...this.#removals()];
  }

  #copies(): DataOperation[] {
    const engine = this.#engine;
    return [
      {
        title: 'cp into a container',
        setUp: () => engine.ok('create', '--name', 'target', 'busybox', 'true'),
        command: ['cp', '-q', `${this.#tree}/.`, 'target:/in'],
        check: () => this.#sameOut('target:/in'),
        undo: () => engine.docker('rm', '-f', 'target'),
        streams: true,
      },
      {
        title: 'cp into a volume of a running container',
        setUp: () =>
          engine.ok(
            'run',
            '-d',
            '--name',
            'target',
            '-v',
            'shared:/shared',
            '-v',
            '/data',
            'busybox',
            'sleep',
            '600',
          ),
        command: ['cp', '-q', `${this.#tree}/.`, 'target:/data/in'],
        check: () => this.#sameOut('target:/data/in'),
        undo: () => engine.docker('rm', '-f', '-v', 'target'),
        streams: true,
      },
      {
        title: 'cp out of a container',
        command: ['cp', '-q', 'keeper:/own/.', join(this.#out, 'own')],
        check: async () => assert.equal(digestOfTree(join(this.#out, 'own')), digestOfTree(this.#tree)),
        undo: async () => rmSync(join(this.#out, 'own'), { recursive: true, force: true }),
        onlyReads: true,
        streams: true,
      },
    ];
  }

  #images(): DataOperation[] {
    const engine = this.#engine;
    const file = join(this.#out, 'exported.tar');
    return [
      {
        title: 'commit',
        command: ['commit', '-m', 'kept', 'keeper', 'committed'],
        check: async () => {
          await engine.ok('create', '--name', 'of-committed', 'committed', 'true');
          try {
            await this.#sameOut('of-committed:/own');
          } finally {
            await engine.docker('rm', 'of-committed');
          }
        },
        undo: () => engine.docker('rmi', 'committed'),
      },
      {
        title: 'export',
        command: ['export', '-o', file, 'keeper'],
        check: async () => {
          const folder = join(this.#out, 'unpacked');
          rmSync(folder, { recursive: true, force: true });
          mkdirSync(folder);
          const { code, stderr } = await execute('tar', ['-C', folder, '-xf', file, 'own']);
          assert.equal(code, 0, stderr);
          assert.equal(digestOfTree(join(folder, 'own')), digestOfTree(this.#tree));
        },
        undo: async () => rmSync(file, { force: true }),
        onlyReads: true,
        streams: true,
      },
      {
        title: 'image rm',
        setUp: () => engine.ok('commit', 'keeper', 'spare'),
        command: ['rmi', 'spare'],
        check: async () =>
          assert.ok(!(await this.#names('images', '--format', '{{.Repository}}')).includes('spare')),
        undo: () => engine.docker('rmi', 'spare'),
        onlyReads: true,
      },
    ];
  }

  #volumes(): DataOperation[] {
    const engine = this.#engine;
    const there = (name: string) => async () => {
      const { Mountpoint, Labels } = JSON.parse(await engine.inspect(name, '{{json .}}'));
      assert.ok(statSync(Mountpoint).isDirectory());
      assert.deepEqual(Labels, { drop: 'yes' });
    };
    const gone = (name: string) => async () =>
      assert.ok(!(await this.#names('volume', 'ls', '-q')).includes(name));
    return [
      {
        title: 'volume create',
        command: ['volume', 'create', '--label', DROP, 'made'],
        check: there('made'),
        undo: () => engine.docker('volume', 'rm', 'made'),
      },
      {
        title: 'volume create with a size',
        command: ['volume', 'create', '--label', DROP, '--opt', 'size=8m', 'sized'],
        check: async () => {
          await there('sized')();
          const { stdout } = await engine.docker(
            'run',
            '--rm',
            '-v',
            'sized:/s',
            'busybox',
            'sh',
            '-c',
            'dd if=/dev/zero of=/s/f bs=1M count=20 2>&1; rm -f /s/f; echo fine > /s/g; cat /s/g',
          );
          assert.match(stdout, /(No space left on device|Disk quota exceeded).*fine\n$/s);
        },
        undo: () => engine.docker('volume', 'rm', 'sized'),
      },
      {
        title: 'volume rm',
        setUp: () => engine.ok('run', '--rm', '-v', 'spent:/data', 'filled', 'true'),
        command: ['volume', 'rm', 'spent'],
        check: gone('spent'),
        undo: () => engine.docker('volume', 'rm', 'spent'),
        onlyReads: true,
      },
      {
        title: 'volume prune',
        setUp: async () => {
          for (const name of ['drop-a', 'drop-b', 'drop-c'])
            await engine.ok('volume', 'create', '--label', DROP, name);
          await engine.ok('run', '--rm', '-v', 'drop-b:/data', 'filled', 'true');
        },
        command: ['volume', 'prune', '--force', '--all', '--filter', `label=${DROP}`],
        check: async () => {
          assert.deepEqual((await this.#names('volume', 'ls', '-q')).sort(), ['free', 'shared', 'used']);
        },
        undo: () => engine.docker('volume', 'rm', 'drop-a', 'drop-b', 'drop-c'),
        onlyReads: true,
      },
      {
        title: 'create with copy-up',
        command: ['create', '--name', 'copied-up', '-v', 'copied:/data', 'filled', 'true'],
        check: async () => {
          // What a copy was cut off at is mended when the volume is used.
          await engine.ok('start', '-a', 'copied-up');
          const data = digestOfTree(await engine.inspect('copied', '{{.Mountpoint}}'));
          await engine.ok('create', '--name', 'bare', 'filled', 'true');
          const folder = join(this.#out, 'bare');
          rmSync(folder, { recursive: true, force: true });
          try {
            await engine.ok('cp', '-q', 'bare:/data', folder);
          } finally {
            await engine.docker('rm', 'bare');
          }
          assert.equal(data, digestOfTree(folder));
        },
        undo: async () => {
          await engine.docker('rm', 'copied-up');
          await engine.docker('volume', 'rm', 'copied');
        },
      },
    ];
  }

  #removals(): DataOperation[] {
    const engine = this.#engine;
    const dropped = async () =>
      assert.deepEqual(await this.#names('ps', '-aq', '--filter', `label=${DROP}`), []);
    const fill = async (...names: string[]) => {
      for (const name of names) {
        await engine.ok('create', '--label', DROP, '--name', name, '-v', '/anonymous', 'busybox', 'true');
        await engine.ok('cp', this.#tree, `${name}:/in`);
      }
    };
    const undo = () => engine.docker('rm', '-f', '-v', 'drop-1', 'drop-2', 'drop-3');
    return [
      {
        title: 'container create',
        command: ['create', '--name', 'fresh', '-v', '/anonymous', 'filled', 'true'],
        check: async () => {
          assert.equal((await engine.ok('start', '-a', 'fresh')).length, 0);
        },
        undo: () => engine.docker('rm', '-f', '-v', 'fresh'),
      },
      {
        title: 'container rm',
        setUp: () => fill('drop-1'),
        command: ['rm', '-v', 'drop-1'],
        check: dropped,
        undo,
        onlyReads: true,
      },
      {
        title: 'system prune',
        setUp: () => fill('drop-1', 'drop-2', 'drop-3'),
        command: ['system', 'prune', '--force', '--volumes', '--filter', `label=${DROP}`],
        check: dropped,
        undo,
        onlyReads: true,
      },
    ];
  }
}
