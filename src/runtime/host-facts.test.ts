import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { mkfifo } from '../sys/index.ts';
import { hostFacts, parseHardLimits } from './host-facts.ts';
import { ALL_CAPABILITIES } from './spec/capabilities.ts';

/** In the layout of the kernel's `proc_pid_limits`. */
const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max file size             1024                 2048                 bytes
Max data size             unlimited            unlimited            bytes
Max stack size            8388608              unlimited            bytes
Max core file size        0                    unlimited            bytes
Max resident set          unlimited            unlimited            bytes
Max processes             31337                62674                processes
Max open files            1024                 524288               files
Max locked memory         8388608              8388608              bytes
Max address space         unlimited            unlimited            bytes
Max file locks            unlimited            unlimited            locks
Max pending signals       7                    8                    signals
Max msgqueue size         819200               819200               bytes
Max nice priority         0                    0
Max realtime priority     0                    1
Max realtime timeout      unlimited            unlimited            us
`;

describe('hard limits', () => {
  it('are read of all sixteen kinds, the hard one of both', () => {
    const limits = parseHardLimits(LIMITS);
    const endless = Number.POSITIVE_INFINITY;
    assert.deepEqual(limits, {
      RLIMIT_CPU: endless,
      RLIMIT_FSIZE: 2048,
      RLIMIT_DATA: endless,
      RLIMIT_STACK: endless,
      RLIMIT_CORE: endless,
      RLIMIT_RSS: endless,
      RLIMIT_NPROC: 62674,
      RLIMIT_NOFILE: 524288,
      RLIMIT_MEMLOCK: 8388608,
      RLIMIT_AS: endless,
      RLIMIT_LOCKS: endless,
      RLIMIT_SIGPENDING: 8,
      RLIMIT_MSGQUEUE: 819200,
      RLIMIT_NICE: 0,
      RLIMIT_RTPRIO: 1,
      RLIMIT_RTTIME: endless,
    });
  });

  it('that a later kernel adds, and lines that say nothing, are passed over', () => {
    const odd = [
      'Max quantum states        1                    2                    qubits',
      'Max open files            many                 more                 files',
      'Max open files            1',
      ' Max open files            1                    2                    files',
      'open files                1                    2                    files',
      '',
    ];
    for (const line of odd) assert.deepEqual(parseHardLimits(line), {}, line);
    assert.deepEqual(parseHardLimits(''), {});
  });

  it('of this process are what the kernel tells a shell of it', () => {
    const { hardLimits } = hostFacts();
    const shell = execFileSync('/bin/sh', ['-c', 'ulimit -H -n'], { encoding: 'utf8' }).trim();
    const expected = shell === 'unlimited' ? Number.POSITIVE_INFINITY : Number(shell);
    assert.equal(hardLimits['RLIMIT_NOFILE'], expected);
    assert.equal(Object.keys(hardLimits).length, 16);
  });
});

describe('facts of this host', () => {
  const facts = hostFacts();

  it('are in the names and units that clients know', () => {
    const machine = execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim();
    const names: Record<string, string> = { x86_64: 'amd64', aarch64: 'arm64' };
    assert.equal(facts.architecture, names[machine] ?? facts.architecture);
    const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8');
    assert.ok(release.startsWith(`${facts.kernel.major}.${facts.kernel.minor}`), release);
    const kilobytes = /^MemTotal:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    assert.equal(facts.memory, Number(kilobytes) * 1024);
    assert.ok(Number.isInteger(facts.cpus) && facts.cpus >= 1);
    assert.equal(facts.oomScoreAdj, Number(readFileSync('/proc/self/oom_score_adj', 'utf8')));
  });

  it('name capabilities in the kernel’s order, no more than this process has', () => {
    const order = facts.capabilities.map((name) => ALL_CAPABILITIES.indexOf(name));
    assert.ok(order.every((bit, at) => bit >= 0 && (at === 0 || bit > (order[at - 1] ?? -1))));
    const permitted = /^CapPrm:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    for (const bit of order) assert.equal((BigInt(`0x${permitted}`) >> BigInt(bit)) & 1n, 1n);
    assert.equal(facts.sysResource, facts.capabilities.includes('CAP_SYS_RESOURCE'));
  });

  it('name an init program that can be run, if any', () => {
    if (facts.initBinary !== undefined) accessSync(facts.initBinary, constants.X_OK);
    assert.ok(facts.initBinary === undefined || facts.initBinary.startsWith('/usr/'));
  });

  it('name processors with a throttle in ascending order', () => {
    assert.deepEqual(
      facts.thermalCpus,
      [...facts.thermalCpus].sort((a, b) => a - b),
    );
  });
});

describe('devices', () => {
  const { device, devicesBelow } = hostFacts();
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'wharf-devices-'));
    for (const name of ['b/deep', 'pts', 'shm', 'fd', 'mqueue'])
      mkdirSync(`${dir}/${name}`, { recursive: true });
    const node = (name: string, ...rest: string[]) =>
      execFileSync('mknod', ['-m', '640', `${dir}/${name}`, ...rest]);
    node('z', 'c', '1', '3');
    node('b/deep/disk', 'b', '8', '17');
    node('b/large', 'c', '511', '1048575');
    for (const hidden of ['pts', 'shm', 'fd', 'mqueue']) node(`${hidden}/n`, 'c', '1', '5');
    mkfifo(`${dir}/b/pipe`, 0o600);
    symlinkSync('z', `${dir}/link`);
    symlinkSync('nowhere', `${dir}/dangling`);
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('are told with type, numbers and mode, links followed', () => {
    const { uid, gid } = statSync(`${dir}/z`);
    const zero = { type: 'c', major: 1, minor: 3, mode: 0o640, uid, gid };
    assert.deepEqual(device(`${dir}/z`), { path: `${dir}/z`, ...zero });
    assert.deepEqual(device(`${dir}/link`), { path: `${dir}/link`, ...zero });
    assert.equal(device(`${dir}/b/deep/disk`)?.type, 'b');
    assert.equal(device(`${dir}/b/pipe`)?.type, 'p');
  });

  it('have numbers of more than eight bits', () => {
    const { major, minor } = device(`${dir}/b/large`) ?? {};
    assert.deepEqual([major, minor], [511, 1048575]);
  });

  it('are not files, folders, or what is not there', () => {
    for (const path of ['/etc/passwd', dir, `${dir}/nosuch`, `${dir}/dangling`, `${dir}/z/below`, ''])
      assert.equal(device(path), undefined, path);
  });

  it('below a folder are all but those of the host’s sessions, in a steady order', () => {
    const below = devicesBelow(dir).map(({ path }) => path.slice(dir.length));
    assert.deepEqual(below, ['/b/deep/disk', '/b/large', '/z']);
    assert.deepEqual(devicesBelow(`${dir}/nosuch`), []);
    assert.deepEqual(devicesBelow(`${dir}/z`), []);
    const all = devicesBelow('/dev').map(({ path }) => path);
    assert.ok(all.includes('/dev/null'));
    assert.ok(!all.some((path) => path === '/dev/console' || path.startsWith('/dev/pts/')));
  });
});
