import { constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoCode } from '../base/index.ts';
import { Fd, O, openInRoot } from '../sys/index.ts';
import type { WantedProcess } from './diagnose.ts';
import type { RuntimeBinary } from './types.ts';

/** `e_machine` (elf(5)) of what each architecture runs: its own and its 32-bit one. */
const MACHINES: Record<string, readonly number[]> = { x64: [62, 3], arm64: [183, 40] };
/** Runtimes whose containers run on this kernel; a virtual machine's has formats of its own. */
const ON_THIS_KERNEL = new Set(['crun', 'runc']);
const PT_INTERP = 3;
const HEAD_BYTES = 4096;

type Reason = 'exec format error' | 'no such file or directory' | 'permission denied';

/** A program that is there and may be executed, and that execve(2) will refuse all the same. */
export interface Unrunnable {
  /** As it was looked up: with the directory of PATH where it was found. */
  program: string;
  reason: Reason;
}

/**
 * Tells before a program is run that the kernel will refuse it: a foreign or unknown format, an interpreter that is
 * missing. crun says that in words of its own, and both end with 1. `pid` is a process that sees what the program will see.
 * Undefined whenever it is not certain.
 */
export function findUnrunnable(
  runtime: Pick<RuntimeBinary, 'name'>,
  pid: number,
  wanted: WantedProcess,
): Unrunnable | undefined {
  if (!ON_THIS_KERNEL.has(runtime.name)) return undefined;
  try {
    using root = new Fd(openSync(`/proc/${pid}/root`, O.PATH | constants.O_DIRECTORY));
    const found = lookUp(root, wanted);
    const reason = found && refusal(root, found.head);
    return reason && { program: found.program, reason };
  } catch {
    return undefined;
  }
}

/** The beginning of a file within the root. Nothing but a plain file is opened: to open a device may do something. */
function headOf(root: Fd, path: string): { mode: number; head: Buffer } | undefined {
  using place = openInRoot(root, path, O.PATH, 0);
  const stat = fstatSync(place.fd);
  if (!stat.isFile()) return undefined;
  using file = new Fd(openSync(`/proc/self/fd/${place.fd}`, O.RDONLY));
  const head = Buffer.alloc(HEAD_BYTES);
  return { mode: stat.mode, head: head.subarray(0, readSync(file.fd, head, 0, HEAD_BYTES, 0)) };
}

function lookUp(root: Fd, wanted: WantedProcess): { program: string; head: Buffer } | undefined {
  const name = wanted.args[0] ?? '';
  const path = wanted.env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  const candidates = name.includes('/') ? [name] : path.split(':').map((dir) => posix.join(dir || '.', name));
  for (const program of candidates) {
    try {
      const file = headOf(root, posix.resolve(wanted.cwd || '/', program));
      if (file && (file.mode & 0o111) !== 0) return { program, head: file.head };
    } catch (thrown) {
      if (!['ENOENT', 'ENOTDIR'].includes(errnoCode((thrown as Error).cause) ?? '')) return undefined;
    }
  }
  return undefined;
}

function refusal(root: Fd, head: Buffer): Reason | undefined {
  if (head.toString('latin1', 0, 2) === '#!') {
    const line = head.toString('latin1', 2, 256).split('\n', 1)[0]?.trim() ?? '';
    return interpreterRefusal(root, line.split(/[ \t]/, 1)[0] ?? '');
  }
  if (head.toString('latin1', 0, 4) === '\x7fELF') return elfRefusal(root, head);
  return otherFormats() ? undefined : 'exec format error';
}

function interpreterRefusal(root: Fd, interpreter: string): Reason | undefined {
  if (!interpreter.startsWith('/')) return undefined;
  try {
    using file = openInRoot(root, interpreter, O.PATH, 0);
    const stat = fstatSync(file.fd);
    return stat.isFile() && (stat.mode & 0o111) !== 0 ? undefined : 'permission denied';
  } catch (thrown) {
    return errnoCode((thrown as Error).cause) === 'ENOENT' ? 'no such file or directory' : undefined;
  }
}

/** Only little-endian files are read on: both architectures are. */
function elfRefusal(root: Fd, head: Buffer): Reason | undefined {
  const machines = MACHINES[process.arch];
  if (!machines) return undefined;
  const native = head.length >= 64 && head[5] === 1 && machines.includes(head.readUInt16LE(18));
  if (!native) return otherFormats() ? undefined : 'exec format error';
  if (head[4] !== 2) return undefined;
  const [start, size, count] = [
    Number(head.readBigUInt64LE(32)),
    head.readUInt16LE(54),
    head.readUInt16LE(56),
  ];
  for (let at = start; at < start + size * count && at + 40 <= head.length; at += size) {
    if (head.readUInt32LE(at) !== PT_INTERP) continue;
    const offset = Number(head.readBigUInt64LE(at + 8));
    const length = Number(head.readBigUInt64LE(at + 32));
    if (offset + length > head.length) return undefined;
    return interpreterRefusal(root, head.toString('latin1', offset, offset + length - 1));
  }
  return undefined;
}

/** Whether the host runs formats of others (binfmt_misc): then none is certain to be refused. */
function otherFormats(): boolean {
  try {
    return readdirSync('/proc/sys/fs/binfmt_misc').some((name) => name !== 'register' && name !== 'status');
  } catch {
    return false;
  }
}
