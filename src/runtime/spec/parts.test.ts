import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostConfig } from '../../api/index.ts';
import type { ExecInput } from '../spec-input.ts';
import { devicesOf, parseDeviceRule } from './devices.ts';
import { containerEnvironment, mergeEnvironment, withHome } from './environment.ts';
import { execProcess } from './exec-process.ts';
import { exactLimits, rlimitsOf } from './rlimits.ts';
import { parseSecurityOptions } from './security-options.ts';
import { hostOf, inputOf } from './spec.cases.ts';
import { assembleSpec } from './spec.ts';
import { sysctlsOf } from './sysctls.ts';

describe('environment', () => {
  it('is laid over; a bare name removes and never reads the daemon’s own', () => {
    assert.deepEqual(mergeEnvironment(['A=1', 'B=2'], ['B=3', 'C=4', 'A']), ['B=3', 'C=4']);
    assert.deepEqual(mergeEnvironment([], ['PATH']), []);
    assert.deepEqual(mergeEnvironment(['A=x=y'], ['A=']), ['A=']);
  });

  it('keeps what the request sets', () => {
    const about = { hostname: 'h', tty: false, home: '/root' };
    assert.deepEqual(containerEnvironment(['PATH=/x', 'HOME=/h'], about), [
      'PATH=/x',
      'HOSTNAME=h',
      'HOME=/h',
    ]);
    assert.deepEqual(withHome(['HOME='], '/srv'), ['HOME=/srv']);
  });
});

describe('devices', () => {
  const of = (hostConfig: HostConfig) => devicesOf(hostConfig, hostOf());

  it('are mapped with their rule', () => {
    const Devices = [{ PathOnHost: '/dev/fuse', PathInContainer: '/dev/f', CgroupPermissions: 'r' }];
    const { nodes, rules } = of({ Devices });
    const node = { path: '/dev/f', type: 'c', major: 10, minor: 229, fileMode: 0o600, uid: 0, gid: 0 };
    assert.deepEqual(nodes, [node]);
    assert.deepEqual(rules.at(-1), { allow: true, type: 'c', major: 10, minor: 229, access: 'r' });
  });

  it('of a folder are all below it', () => {
    const { nodes } = of({ Devices: [{ PathOnHost: '/dev/snd', PathInContainer: '/dev/s' }] });
    assert.deepEqual(
      nodes.map(({ path }) => path),
      ['/dev/s/seq'],
    );
  });

  it('that the runtime makes are not made twice; what is missing is refused', () => {
    assert.deepEqual(of({ Devices: [{ PathOnHost: '/dev/null' }] }).nodes, []);
    assert.throws(() => of({ Devices: [{ PathOnHost: '/dev/none' }] }), /"\/dev\/none": no such file/);
  });

  it('rules have numbers or any', () => {
    const any = { allow: true, type: 'c', access: 'rw', major: 1 };
    assert.deepEqual(parseDeviceRule('c 1:* rw'), any);
    assert.deepEqual(parseDeviceRule('a *:* rwm'), { allow: true, type: 'a', access: 'rwm' });
    for (const bad of ['', 'c 1:2', 'd 1:2 r', 'c 1:2 x', 'c -1:2 r', 'c 1:2 rwmr', 'c 1:2 r\n'])
      assert.throws(() => parseDeviceRule(bad), /invalid device cgroup rule format/, bad);
  });
});

describe('sysctls', () => {
  it('of the container’s own namespaces are set', () => {
    const set = sysctlsOf({}, { Sysctls: { 'net.core.somaxconn': '512', 'kernel.shmmax': '1' } });
    assert.equal(set['net.core.somaxconn'], '512');
    assert.equal(set['kernel.shmmax'], '1');
    assert.equal(sysctlsOf({ Domainname: 'd' }, {})['kernel.domainname'], 'd');
  });

  it('of the host are refused', () => {
    for (const name of ['kernel.panic', 'vm.swappiness', 'fs.file-max', 'kernel.core_pattern', 'nonsense'])
      assert.throws(() => sysctlsOf({}, { Sysctls: { [name]: '1' } }), { kind: 'invalid' }, name);
    const shared = { NetworkMode: 'host', Sysctls: { 'net.core.somaxconn': '1' } };
    assert.throws(() => sysctlsOf({}, shared), /not allowed in host network namespace/);
    const ipc = { IpcMode: 'host', Sysctls: { 'kernel.shmmax': '1' } };
    assert.throws(() => sysctlsOf({}, ipc), /not allowed in the hosts ipc namespace/);
  });
});

describe('ulimits', () => {
  const asked = [{ Name: 'nofile', Soft: 100, Hard: 200 }];

  it('of the request come before the daemon’s', () => {
    const { rlimits } = rlimitsOf(asked, [{ Name: 'nofile', Soft: 1, Hard: 1 }], hostOf());
    assert.deepEqual(rlimits, [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }]);
  });

  it('above what this process has are brought down with a warning', () => {
    const weak = hostOf({ sysResource: false });
    const { rlimits, warnings } = rlimitsOf([{ Name: 'nofile', Soft: 5000, Hard: 9000 }], [], weak);
    assert.ok(rlimits.every(({ hard, soft }) => hard <= 1000 && soft <= 1000));
    assert.equal(warnings.length, 1);
    assert.deepEqual(rlimitsOf(asked, [], weak).warnings, []);
  });
});

describe('limits without end', () => {
  it('are written as the kernel writes them, also after they were read back', () => {
    const Ulimits = [{ Name: 'core', Soft: -1, Hard: -1 }];
    const { process } = assembleSpec(inputOf({ Ulimits }));
    const text = '{"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":18446744073709551615}';
    assert.equal(JSON.stringify(process?.rlimits), `[${text}]`);
    assert.equal(JSON.stringify(exactLimits(JSON.parse(`[${text}]`))), `[${text}]`);
    assert.equal(JSON.stringify(exactLimits(process?.rlimits ?? [])), `[${text}]`);
  });
});

describe('security options', () => {
  const parse = (...options: string[]) => parseSecurityOptions(options, hostOf());

  it('are parsed in both spellings', () => {
    assert.equal(parse('no-new-privileges').noNewPrivileges, true);
    assert.equal(parse('no-new-privileges:false').noNewPrivileges, false);
    assert.equal(parse('seccomp:unconfined').seccomp, 'unconfined');
    assert.equal(parse('seccomp=builtin').seccomp, 'default');
    assert.deepEqual(parse('seccomp={"defaultAction":"SCMP_ACT_ALLOW"}').seccomp, {
      defaultAction: 'SCMP_ACT_ALLOW',
    });
  });

  it('that mean nothing are refused', () => {
    assert.throws(() => parse('nope'), { message: 'invalid --security-opt 1: "nope"' });
    assert.throws(() => parse('nope=1'), { message: 'invalid --security-opt 2: "nope=1"' });
    assert.throws(() => parse('no-new-privileges=maybe'), /invalid --security-opt 2/);
    assert.throws(() => parse('systempaths=other'), /invalid --security-opt 2/);
    for (const bad of ['seccomp=/etc/passwd', 'seccomp=[]', 'seccomp=null', 'seccomp={}'])
      assert.throws(() => parse(bad), /Decoding seccomp profile failed/, bad);
  });

  it('that this host can not keep are warned about', () => {
    assert.equal(parse('apparmor=x', 'label=type:y').warnings.length, 2);
    assert.deepEqual(parse('apparmor=unconfined').warnings, []);
  });
});

describe('an exec', () => {
  const container = assembleSpec(inputOf({ CapDrop: ['KILL'] }, { Env: ['A=1'], WorkingDir: '/w' })).process;
  const exec = (change: Partial<ExecInput>) =>
    execProcess({
      container: container as ExecInput['container'],
      args: ['id'],
      env: [],
      user: { uid: 7, gid: 8, additionalGids: [8, 9], home: '/seven', name: 'seven' },
      ownUser: false,
      cwd: '',
      tty: false,
      privileged: false,
      hostConfig: { CapDrop: ['KILL'] },
      host: hostOf(),
      ...change,
    });

  it('takes over user, folder, environment and capabilities of its container', () => {
    const made = exec({ env: ['B=2'] });
    assert.deepEqual(made.user, { uid: 0, gid: 0, additionalGids: [0, 10] });
    assert.equal(made.cwd, '/w');
    assert.ok(made.env.includes('A=1') && made.env.includes('B=2') && made.env.includes('HOME=/root'));
    assert.ok(!made.capabilities?.bounding?.includes('CAP_KILL'));
  });

  it('of another user has its groups and home', () => {
    const made = exec({ ownUser: true, cwd: '/x' });
    assert.deepEqual(made.user, { uid: 7, gid: 8, additionalGids: [8, 9] });
    assert.ok(made.env.includes('HOME=/seven') && !made.env.includes('HOME=/root'));
    assert.equal(made.cwd, '/x');
  });

  it('with privileges has all capabilities; with a terminal TERM and a size', () => {
    const made = exec({ privileged: true, tty: true, consoleSize: { height: 9, width: 8 } });
    assert.equal(made.capabilities?.bounding?.length, hostOf().capabilities.length);
    assert.ok(made.env.includes('TERM=xterm'));
    assert.deepEqual(made.consoleSize, { height: 9, width: 8 });
  });
});
