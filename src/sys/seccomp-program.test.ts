import assert from 'node:assert/strict';
import { readFileSync, writeSync } from 'node:fs';
import { describe, it } from 'node:test';
import { memoryFile, sealedFile } from './sealed.ts';
import { compileSeccomp, type FilterCondition, type FilterRule, type FilterSource } from './seccomp.ts';

const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const EPERM = 1;
/** linux/audit.h: AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64. */
const ARCHITECTURE = process.arch === 'x64' ? 0xc000003e : 0xc00000b7;
const NUMBERS: Record<string, number> =
  process.arch === 'x64'
    ? { read: 0, write: 1, socket: 41, personality: 135 }
    : { read: 63, write: 64, socket: 198, personality: 92 };

/** `struct seccomp_data`: number, architecture, instruction pointer, six arguments. */
function call(name: string, args: bigint[] = [], architecture = ARCHITECTURE): Buffer {
  const data = Buffer.alloc(64);
  data.writeInt32LE(NUMBERS[name] as number, 0);
  data.writeUInt32LE(architecture, 4);
  for (const [at, value] of args.entries()) data.writeBigUInt64LE(value, 16 + at * 8);
  return data;
}

/** Runs a classic BPF program as seccomp(2) does: loads of words, jumps, AND, return. Anything else is a fault of the program. */
function run(program: Buffer, data: Buffer): number {
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const code = program.readUInt16LE(at * 8);
    const [onTrue, onFalse] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)];
    const value = program.readUInt32LE(at * 8 + 4);
    const jump = (holds: boolean) => {
      at += holds ? onTrue : onFalse;
    };
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x06) return value;
    else if (code === 0x05) at += value;
    else if (code === 0x15) jump(accumulator === value);
    else if (code === 0x25) jump(accumulator > value);
    else if (code === 0x35) jump(accumulator >= value);
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else assert.fail(`instruction 0x${code.toString(16)} at ${at}`);
  }
}

const filter = (rules: FilterRule[], more: Partial<FilterSource> = {}): FilterSource => ({
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultValue: EPERM,
  architectures: [],
  rules,
  ...more,
});
const allow = (syscall: string, ...conditions: FilterCondition[]): FilterRule => ({
  syscall,
  action: 'SCMP_ACT_ALLOW',
  value: 0,
  conditions,
});
const when = (index: number, op: string, a: number, b = 0): FilterCondition => ({
  index,
  op: `SCMP_CMP_${op}`,
  a,
  b,
});

for (const tree of [true, false]) {
  describe(`a compiled filter, as a ${tree ? 'tree' : 'list'}`, () => {
    const compiled = (rules: FilterRule[], more?: Partial<FilterSource>) =>
      compileSeccomp(filter(rules, more), { tree });

    it('allows what is listed, and answers with the default else', () => {
      const program = compiled([allow('read'), allow('write')]);
      assert.equal(run(program, call('read')), ALLOW);
      assert.equal(run(program, call('write')), ALLOW);
      assert.equal(run(program, call('socket')), ERRNO + EPERM);
    });

    it('kills or refuses calls of an architecture that is not its own', () => {
      const program = compiled([allow('read')]);
      assert.notEqual(run(program, call('read', [], 0x40000003)), ALLOW);
      assert.notEqual(run(program, call('read', [], 0)), ALLOW);
    });

    it('refuses a call by its first argument as each operator says', () => {
      const values = [
        0n,
        1n,
        37n,
        38n,
        39n,
        40n,
        41n,
        0xffffffffn,
        1n << 32n,
        (1n << 32n) + 38n,
        (1n << 64n) - 1n,
      ];
      const cases: [FilterCondition, (value: bigint) => boolean][] = [
        [when(0, 'EQ', 38), (value) => value === 38n],
        [when(0, 'NE', 38), (value) => value !== 38n],
        [when(0, 'LT', 38), (value) => value < 38n],
        [when(0, 'LE', 38), (value) => value <= 38n],
        [when(0, 'GT', 38), (value) => value > 38n],
        [when(0, 'GE', 38), (value) => value >= 38n],
        [when(0, 'MASKED_EQ', 0x27, 0x26), (value) => (value & 0x27n) === 0x26n],
      ];
      for (const [condition, holds] of cases) {
        const program = compiled([allow('socket', condition)]);
        for (const value of values) {
          const expected = holds(value) ? ALLOW : ERRNO + EPERM;
          assert.equal(run(program, call('socket', [value])), expected, `${condition.op} ${value}`);
        }
      }
    });

    it('asks all conditions on different arguments, and any of those on one', () => {
      const both = compiled([allow('socket', when(0, 'EQ', 2), when(1, 'EQ', 1))]);
      const either = compiled([allow('personality', when(0, 'EQ', 0), when(0, 'EQ', 8))]);
      for (const first of [0n, 2n, 8n]) {
        for (const second of [0n, 1n])
          assert.equal(run(both, call('socket', [first, second])) === ALLOW, first === 2n && second === 1n);
        assert.equal(run(either, call('personality', [first])) === ALLOW, first !== 2n);
      }
    });

    it('gives each rule its own errno, and leaves out what repeats the default or is not known', () => {
      const deny = (syscall: string, value: number): FilterRule => ({
        syscall,
        action: 'SCMP_ACT_ERRNO',
        value,
        conditions: [],
      });
      const program = compiled([
        allow('read'),
        deny('write', 38),
        deny('socket', EPERM),
        allow('no_such_call'),
      ]);
      assert.equal(run(program, call('write')), ERRNO + 38);
      assert.equal(run(program, call('socket')), ERRNO + EPERM);
      assert.deepEqual(program, compiled([allow('read'), deny('write', 38)]));
    });
  });
}

describe('a filter that cannot be compiled', () => {
  const broken: [what: string, source: FilterSource][] = [
    ['an unknown action', filter([{ ...allow('read'), action: 'SCMP_ACT_NOTIFY' }])],
    ['an unknown default', filter([], { defaultAction: 'ALLOW' })],
    ['an unknown architecture', filter([], { architectures: ['SCMP_ARCH_PDP11'] })],
    ['an unknown operator', filter([allow('read', when(0, 'ALMOST', 1))])],
    ['a seventh argument', filter([allow('read', when(6, 'EQ', 1))])],
    ['a negative argument', filter([allow('read', when(-1, 'EQ', 1))])],
    ['a value that no number holds exactly', filter([allow('read', when(0, 'EQ', 2 ** 60))])],
    ['a negative value', filter([allow('read', when(0, 'EQ', -1))])],
  ];
  for (const [what, source] of broken) {
    it(`${what} is refused`, () => assert.throws(() => compileSeccomp(source), { kind: 'invalid' }));
  }
});

describe('files in memory', () => {
  it('when sealed, have their content for good: no byte, no length, no seal changes', () => {
    const content = Buffer.from('the program');
    using file = sealedFile('sealed', content);
    content.fill(0);
    assert.equal(readFileSync(`/proc/self/fd/${file.fd}`, 'utf8'), 'the program');
    assert.throws(() => writeSync(file.fd, 'x', 0), /EPERM/);
    assert.throws(() => writeSync(file.fd, 'x', 1000), /EPERM/);
  });

  it('are named for people, may be empty, and are closed by their owner', () => {
    using file = memoryFile('wharf-memory');
    writeSync(file.fd, 'open');
    assert.equal(readFileSync(`/proc/self/fd/${file.fd}`, 'utf8'), 'open');
    using empty = sealedFile('empty', Buffer.alloc(0));
    assert.equal(readFileSync(`/proc/self/fd/${empty.fd}`).length, 0);
  });
});
