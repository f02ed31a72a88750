import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const project = join(import.meta.dirname, '../../..');

/** Where `scripts/prepare-host --tests` unpacks Debian's kernel for virtual machines, which is not installed on the host. */
const KERNEL = '/var/cache/wharf-tests/guest-kernel';
const QEMU = '/usr/bin/qemu-system-x86_64';
const BUSYBOX = '/usr/bin/busybox';

/** The kinds of links, sockets and rules that tests need; modprobe loads them when they are asked for. */
const MODULES = [
  'net',
  'lib',
  'crypto',
  'arch',
  ...['ipvlan', 'macvlan.ko', 'veth.ko', 'dummy.ko'].map((name) => join('drivers/net', name)),
];

/** Why no test can run on a kernel of its own here, or false when it can. */
export function needsGuestKernel(): string | false {
  if (process.arch !== 'x64') return `the guest's kernel is for x64, not ${process.arch}`;
  const missing = [KERNEL, QEMU, BUSYBOX].filter((path) => !existsSync(path));
  return missing.length > 0 && `missing: ${missing.join(', ')} (scripts/prepare-host --tests brings them)`;
}

/**
 * Runs test files of the project under an emulated machine with Debian's kernel, and gives what they wrote (TAP). All that
 * the guest has is in its memory: this Node.js, the sources of `folders`, and the kernel's modules. Some 20 s without KVM.
 * Rejects when the guest does not end in time.
 */
export async function runTestsInGuest(folders: string[], files: string[], withinMs: number): Promise<string> {
  const work = mkdtempSync('/var/tmp/wharf-guest-');
  try {
    const [release = ''] = readdirSync(join(KERNEL, 'lib/modules'));
    makeRoot(join(work, 'root'), release, folders, files);
    execFileSync('sh', ['-c', 'cd root && find . | busybox cpio -o -H newc > ../initrd'], {
      cwd: work,
      stdio: 'pipe',
    });
    return await boot(join(KERNEL, 'boot', `vmlinuz-${release}`), join(work, 'initrd'), withinMs);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function makeRoot(root: string, release: string, folders: string[], files: string[]): void {
  for (const name of ['bin', 'sbin', 'proc', 'sys', 'dev', 'tmp', 'app'])
    mkdirSync(join(root, name), { recursive: true });
  copyFileSync(BUSYBOX, join(root, 'bin/busybox'));
  for (const name of ['bin/sh', 'bin/mount', 'bin/ip', 'bin/poweroff', 'sbin/modprobe'])
    symlinkSync('/bin/busybox', join(root, name));

  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  copyFileSync(process.execPath, join(root, 'bin/node'));
  for (const library of libraries) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }
  for (const path of ['package.json', 'node_modules/koffi', 'node_modules/@koromix', ...folders])
    cpSync(join(project, path), join(root, 'app', path), { recursive: true });

  const modules = join('lib/modules', release);
  for (const name of MODULES) {
    const path = join(modules, 'kernel', name);
    if (existsSync(join(KERNEL, path))) cpSync(join(KERNEL, path), join(root, path), { recursive: true });
  }
  execFileSync(BUSYBOX, ['depmod', '-b', root, release], { stdio: 'pipe' });
  writeFileSync(join(root, 'init'), initScript(files), { mode: 0o755 });
}

/** A first process that runs the tests one after another; a line tells that it came to its end. */
function initScript(files: string[]): string {
  return `#!/bin/sh
export PATH=/bin:/sbin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
ip link set lo up
cd /app
for file in ${files.join(' ')}; do node --test-reporter=tap $file 2>&1; done
echo ${LAST_LINE}
poweroff -f
`;
}

const LAST_LINE = 'all test files have run';

/** KVM is not used: where this runs in a virtual machine itself it is often there and broken. */
async function boot(kernel: string, initrd: string, withinMs: number): Promise<string> {
  const machine = ['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '1024', '-nodefaults'];
  const console = ['-no-reboot', '-display', 'none', '-serial', 'stdio'];
  const start = ['-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyS0 quiet panic=-1'];
  const guest = spawn(QEMU, [...machine, ...console, ...start], { stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => guest.kill('SIGKILL'), withinMs);
  let output = '';
  for (const stream of [guest.stdout, guest.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  await new Promise((resolve, reject) => {
    guest.on('error', reject);
    guest.on('close', resolve);
  });
  clearTimeout(timer);
  const text = output.replaceAll('\r', '');
  if (!text.includes(LAST_LINE)) throw new Error(`the guest did not come to its end:\n${text}`);
  return text;
}
