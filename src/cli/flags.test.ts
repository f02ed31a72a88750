import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlagError, flag, parseFlags } from './flags.ts';

const SPECS = [
  flag('i,interactive', 'bool', ''),
  flag('t,tty', 'bool', ''),
  flag('rm', 'bool', ''),
  flag('name', 'string', ''),
  flag('e,env', 'list', ''),
  flag('m,memory', 'bytes', ''),
  flag('n,last', 'int', '', { default: -1 }),
  flag('cpus', 'decimal', ''),
  flag('health-interval', 'duration', ''),
];

function fails(args: string[], message: string): void {
  assert.throws(
    () => parseFlags(SPECS, args),
    (thrown) => thrown instanceof FlagError && thrown.message === message,
  );
}

test('short flags combine and values may touch or follow', () => {
  const flags = parseFlags(SPECS, [
    '-it',
    '-eA=1',
    '-e',
    'B=2',
    '--env=C=3',
    '-m64m',
    '-n=4',
    'image',
    '--rm',
  ]);
  assert.deepEqual([flags.bool('interactive'), flags.bool('tty'), flags.bool('rm')], [true, true, true]);
  assert.deepEqual(flags.list('env'), ['A=1', 'B=2', 'C=3']);
  assert.equal(flags.number('memory'), 64 * 1024 * 1024);
  assert.equal(flags.number('last'), 4);
  assert.deepEqual(flags.operands, ['image']);
});

test('flags end at the first operand where they must, and at --', () => {
  assert.deepEqual(parseFlags(SPECS, ['--rm', 'image', '--name', 'x'], false).operands, [
    'image',
    '--name',
    'x',
  ]);
  assert.deepEqual(parseFlags(SPECS, ['--rm', '--', '--name']).operands, ['--name']);
  assert.deepEqual(parseFlags(SPECS, ['-']).operands, ['-']);
});

test('a bool may be switched off', () => {
  const flags = parseFlags(SPECS, ['--rm=false', '-t=0']);
  assert.deepEqual([flags.bool('rm'), flags.bool('tty'), flags.changed('rm')], [false, false, true]);
});

test('quantities are read', () => {
  const flags = parseFlags(SPECS, ['--cpus', '1.5', '--health-interval', '1m30s', '-m', '1.5GiB']);
  assert.equal(flags.number('cpus'), 1_500_000_000);
  assert.equal(flags.number('health-interval'), 90_000_000_000);
  assert.equal(flags.number('memory'), 1.5 * 1024 ** 3);
});

test("errors have pflag's words", () => {
  fails(['--foo'], 'unknown flag: --foo');
  fails(['-itZ'], "unknown shorthand flag: 'Z' in -Z");
  fails(['--name'], 'flag needs an argument: --name');
  fails(['-e'], "flag needs an argument: 'e' in -e");
  fails(
    ['--rm=foo'],
    'invalid argument "foo" for "--rm" flag: strconv.ParseBool: parsing "foo": invalid syntax',
  );
  fails(['-m', 'abc'], `invalid argument "abc" for "-m, --memory" flag: invalid size: 'abc'`);
  fails(
    ['-n', 'x'],
    'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax',
  );
  fails(['--=x'], 'bad flag syntax: --=x');
});
