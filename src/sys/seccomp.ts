import { readSync } from 'node:fs';
import { WharfError } from '../base/index.ts';
import { ffi } from './libc.ts';
import { memoryFile } from './sealed.ts';

/** One condition on an argument of a system call, in libseccomp's terms (seccomp_rule_add(3)). */
export interface FilterCondition {
  /** 0–5. */
  index: number;
  /** `SCMP_CMP_EQ` … */
  op: string;
  a: number;
  b: number;
}

/** What to do with a system call. Several conditions must all hold. */
export interface FilterRule {
  syscall: string;
  action: string;
  /** For `SCMP_ACT_ERRNO` and `SCMP_ACT_TRACE`. */
  value: number;
  conditions: readonly FilterCondition[];
}

/** A filter to compile. */
export interface FilterSource {
  defaultAction: string;
  defaultValue: number;
  /** `SCMP_ARCH_X86_64` …, in addition to the host's own. */
  architectures: readonly string[];
  rules: readonly FilterRule[];
}

/** `struct scmp_arg_cmp`: argument, operator, two 64-bit values. */
const CONDITION_BYTES = 24;
/** seccomp_attr_set(3): build a binary tree instead of a list of comparisons. */
const ATTRIBUTE_OPTIMIZE = 8;
const BINARY_TREE = 2;
const UNKNOWN_SYSCALL = -1;
const UNKNOWN_ARCHITECTURE = 0;
const EEXIST = -17;

const ACTIONS: Record<string, number> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};
const OPERATORS = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'].map((name) => `SCMP_CMP_${name}`);

type Context = object;

interface Library {
  init(action: number): Context | null;
  release(context: Context): void;
  archResolve(name: string): number;
  archAdd(context: Context, token: number): number;
  setAttribute(context: Context, attribute: number, value: number): number;
  resolve(name: string): number;
  add(context: Context, action: number, syscall: number, count: number, conditions: Buffer): number;
  exportBpf(context: Context, fd: number): number;
}

let library: Library | undefined;

/**
 * Compiles a filter to the kernel's program: an array of `struct sock_filter`. System calls that this libseccomp does not
 * know are left out, rules that repeat the default do nothing; else every rule is in, or it throws.
 * Errors: `invalid` for what cannot be expressed so, `unavailable` without libseccomp.
 */
export function compileSeccomp(source: FilterSource, options: { tree: boolean } = { tree: true }): Buffer {
  library ??= load();
  const normal = actionOf(source.defaultAction, source.defaultValue);
  const context = library.init(normal);
  if (!context) throw new WharfError('internal', 'seccomp_init failed');
  try {
    for (const name of source.architectures) addArchitecture(library, context, name);
    // Older libseccomp has no such attribute; the program is then longer and means the same.
    if (options.tree) library.setAttribute(context, ATTRIBUTE_OPTIMIZE, BINARY_TREE);
    for (const rule of source.rules) addRule(library, context, rule, normal);
    return exported(library, context);
  } finally {
    library.release(context);
  }
}

function actionOf(name: string, value: number): number {
  const base = ACTIONS[name];
  if (base === undefined) throw new WharfError('invalid', `seccomp: ${name} cannot be compiled`);
  const valued = name === 'SCMP_ACT_ERRNO' || name === 'SCMP_ACT_TRACE';
  return valued ? base + (value & 0xffff) : base;
}

function addArchitecture(lib: Library, context: Context, name: string): void {
  const token = lib.archResolve(name.replace(/^SCMP_ARCH_/, '').toLowerCase());
  if (token === UNKNOWN_ARCHITECTURE)
    throw new WharfError('invalid', `seccomp: unknown architecture ${name}`);
  const status = lib.archAdd(context, token);
  if (status !== 0 && status !== EEXIST) throw refused(status, name);
}

function addRule(lib: Library, context: Context, rule: FilterRule, normal: number): void {
  const action = actionOf(rule.action, rule.value);
  const number = lib.resolve(rule.syscall);
  // libseccomp refuses rules that repeat the default.
  if (number === UNKNOWN_SYSCALL || action === normal) return;
  const { conditions } = rule;
  // Two conditions on one argument are alternatives: libseccomp takes one for each argument (runtimes do the same).
  const repeated = new Set(conditions.map(({ index }) => index)).size < conditions.length;
  const groups = repeated ? conditions.map((one) => [one]) : [conditions];
  for (const group of groups) {
    const status = lib.add(context, action, number, group.length, packed(group));
    if (status !== 0) throw refused(status, rule.syscall);
  }
}

function packed(conditions: readonly FilterCondition[]): Buffer {
  const bytes = Buffer.alloc(Math.max(1, conditions.length) * CONDITION_BYTES);
  for (const [at, { index, op, a, b }] of conditions.entries()) {
    const operator = OPERATORS.indexOf(op) + 1;
    if (operator === 0 || index < 0 || index > 5)
      throw new WharfError('invalid', `seccomp: bad condition ${op}`);
    if (![a, b].every((value) => Number.isSafeInteger(value) && value >= 0))
      throw new WharfError('invalid', 'seccomp: a value is beyond what can be told exactly');
    const start = at * CONDITION_BYTES;
    bytes.writeUInt32LE(index, start);
    bytes.writeUInt32LE(operator, start + 4);
    bytes.writeBigUInt64LE(BigInt(a), start + 8);
    bytes.writeBigUInt64LE(BigInt(b), start + 16);
  }
  return bytes;
}

function exported(lib: Library, context: Context): Buffer {
  using memory = memoryFile('seccomp');
  const status = lib.exportBpf(context, memory.fd);
  if (status !== 0) throw refused(status, 'export');
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const piece = Buffer.alloc(64 * 1024);
    const count = readSync(memory.fd, piece, 0, piece.length, at);
    if (count === 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, count));
    at += count;
  }
}

function refused(status: number, what: string): WharfError {
  return new WharfError('invalid', `seccomp: libseccomp refuses ${what} (${status})`);
}

function load(): Library {
  try {
    const lib = ffi().load('libseccomp.so.2');
    return {
      init: lib.func('void *seccomp_init(uint32_t action)') as Library['init'],
      release: lib.func('void seccomp_release(void *ctx)') as Library['release'],
      archResolve: lib.func('uint32_t seccomp_arch_resolve_name(const char *name)') as Library['archResolve'],
      archAdd: lib.func('int seccomp_arch_add(void *ctx, uint32_t token)') as Library['archAdd'],
      setAttribute: lib.func(
        'int seccomp_attr_set(void *ctx, int attribute, uint32_t value)',
      ) as Library['setAttribute'],
      resolve: lib.func('int seccomp_syscall_resolve_name(const char *name)') as Library['resolve'],
      add: lib.func(
        'int seccomp_rule_add_array(void *ctx, uint32_t action, int syscall, uint count, const void *conditions)',
      ) as Library['add'],
      exportBpf: lib.func('int seccomp_export_bpf(void *ctx, int fd)') as Library['exportBpf'],
    };
  } catch (cause) {
    throw new WharfError('unavailable', 'libseccomp.so.2 cannot be loaded; install libseccomp2', { cause });
  }
}
