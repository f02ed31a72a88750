import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { WharfError } from '../../base/index.ts';
import { importImage } from './import.ts';
import type { LoadDeps } from './load.ts';
import type { ProgressLine } from './progress.ts';

/** A suite's name becomes an argument of mmdebstrap: no path, no option, no address. */
const NAME = /^(busybox|debian)(?::([a-z][a-z-]{1,30}))?$/;

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const PASSWD = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
sys:x:3:3:sys:/dev:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`;
const GROUP = `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
www-data:x:33:
users:x:100:
nogroup:x:65534:
`;

/**
 * Makes a base image from the host's own distribution packages: `busybox` from the static binary of `busybox-static`,
 * `debian[:suite]` with mmdebstrap from the mirror that the host's apt uses. No image registry is needed.
 * Errors: `invalid` name, `unavailable` with what to install when a tool is missing or fails.
 */
export async function* bootstrapImage(
  deps: LoadDeps,
  name: string,
  signal: AbortSignal,
): AsyncIterable<ProgressLine> {
  const [, base, tag = 'latest'] = NAME.exec(name) ?? [];
  if (base === 'debian') {
    yield* bootstrapDebian(deps, tag === 'latest' ? undefined : tag, signal);
  } else if (base === 'busybox' && tag === 'latest') {
    yield* bootstrapBusybox(deps, signal);
  } else {
    throw new WharfError('invalid', `can't bootstrap "${name}": choose busybox, debian, or debian:SUITE`);
  }
}

async function* bootstrapBusybox(deps: LoadDeps, signal: AbortSignal): AsyncIterable<ProgressLine> {
  const tree = await mkdtemp(join(deps.temporary, 'busybox-'));
  try {
    yield { status: 'Collecting busybox from the package busybox-static' };
    await fillBusyboxTree(tree);
    const tar = run(
      'tar',
      ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '-C', tree, '-c', '.'],
      signal,
    );
    const changes = ['CMD ["sh"]', `ENV ${PATH}`];
    yield* imported(deps, tar, { repo: 'busybox', tag: 'latest', changes }, signal);
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

async function fillBusyboxTree(tree: string): Promise<void> {
  for (const directory of [
    'bin',
    'etc',
    'home',
    'root',
    'tmp',
    'usr/bin',
    'usr/sbin',
    'var/spool/mail',
    'var/www',
  ]) {
    await mkdir(join(tree, directory), { recursive: true });
  }
  const binary = join(tree, 'bin/busybox');
  await copyFile('/bin/busybox', binary).catch((thrown: unknown) => {
    throw new WharfError('unavailable', 'there is no /bin/busybox here: install the package busybox-static', {
      cause: thrown,
    });
  });
  await chmod(binary, 0o755);
  // mkdtemp made it for its owner alone; here it becomes the root directory of everyone.
  await chmod(tree, 0o755);
  await chmod(join(tree, 'tmp'), 0o1777);
  await chmod(join(tree, 'root'), 0o700);
  await writeFile(join(tree, 'etc/passwd'), PASSWD);
  await writeFile(join(tree, 'etc/group'), GROUP);
  for (const applet of await busyboxApplets(binary)) {
    if (applet !== 'busybox') await symlink('busybox', join(tree, 'bin', applet));
  }
}

async function busyboxApplets(binary: string): Promise<string[]> {
  const list = run(binary, ['--list'], undefined);
  let text = '';
  for await (const chunk of list.stdout) text += chunk;
  await list.done;
  return text.split('\n').filter((applet) => /^[a-z0-9_.[-]+$/i.test(applet));
}

async function* bootstrapDebian(
  deps: LoadDeps,
  wanted: string | undefined,
  signal: AbortSignal,
): AsyncIterable<ProgressLine> {
  const host = await hostDistribution();
  const suite = wanted ?? (host.id === 'debian' && host.codename ? host.codename : 'stable');
  const mirror = host.id === 'debian' ? await aptMirror() : undefined;
  yield { status: `Collecting debian ${suite} with mmdebstrap from the distribution's packages` };
  const source = mirror ? [mirror] : [];
  const args = [
    '--variant=minbase',
    '--mode=root',
    '--format=tar',
    '--aptopt=APT::Sandbox::User "root"',
    suite,
    '-',
    ...source,
  ];
  const tar = run('mmdebstrap', args, signal);
  const changes = ['CMD ["bash"]', `ENV ${PATH}`];
  yield* imported(deps, tar, { repo: 'debian', tag: wanted ?? 'latest', changes }, signal);
  if (wanted === undefined) yield { status: `debian:latest is ${suite}` };
}

/** Imports what the command prints while its own progress goes to the client; a failing command makes no image. */
async function* imported(
  deps: LoadDeps,
  command: Command,
  target: { repo: string; tag: string; changes: string[] },
  signal: AbortSignal,
): AsyncIterable<ProgressLine> {
  const source = checkedOutput(command);
  const result = collect(
    importImage(deps, source, { ...target, message: 'from distribution packages' }, signal),
  );
  // The result is awaited below; without this a failure before then would count as unhandled.
  result.catch(() => {});
  for await (const line of command.messages) yield { status: line };
  for (const line of await result) yield { ...line, id: `${target.repo}:${target.tag}` };
}

async function collect(lines: AsyncIterable<ProgressLine>): Promise<ProgressLine[]> {
  const all: ProgressLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

interface Command {
  stdout: Readable;
  /** What it says on stderr, line by line. */
  messages: AsyncIterable<string>;
  /** Settles when it has ended; rejects when it failed. */
  done: Promise<void>;
}

/** The command's output, ending with an error if the command fails: half a tar must not become an image. */
function checkedOutput(command: Command): Readable {
  const checked = async function* () {
    yield* command.stdout;
    await command.done;
  };
  return checked() as unknown as Readable;
}

function run(file: string, args: string[], signal: AbortSignal | undefined): Command {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: COMMAND_PATH }, signal });
  const done = ended(child, file);
  done.catch(() => {});
  return {
    stdout: child.stdout as Readable,
    messages: createInterface({ input: child.stderr as Readable }),
    done,
  };
}

const COMMAND_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function ended(child: ChildProcess, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(
        new WharfError('unavailable', `${file} can't be run: install the package that has it`, { cause }),
      );
    });
    child.once('close', (code) => {
      if (code === 0) resolve();
      else
        reject(new WharfError('unavailable', `${file} failed with exit code ${code}; its messages say why`));
    });
  });
}

async function hostDistribution(): Promise<{ id: string; codename: string }> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return { id: field('ID'), codename: field('VERSION_CODENAME') };
}

/** The first mirror in the host's apt sources, so that a host behind a mirror of its own uses it here, too. */
async function aptMirror(): Promise<string | undefined> {
  const deb822 = await readFile('/etc/apt/sources.list.d/debian.sources', 'utf8').catch(() => '');
  const uri = /^URIs:\s*(\S+)/m.exec(deb822)?.[1];
  if (uri) return uri;
  const list = await readFile('/etc/apt/sources.list', 'utf8').catch(() => '');
  return /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)/m.exec(list)?.[1];
}
