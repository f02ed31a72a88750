import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { eventually, useDaemon } from './support/index.ts';

/** Docker's default set as the kernel prints it. */
const DEFAULT_CAPABILITIES = '00000000a80425fb';

/** A value of the container's own cgroup; the two arguments are its v1 and v2 files. */
const cgroup = (v1: string, v2: string) => `cat /sys/fs/cgroup/${v1} 2>/dev/null || cat /sys/fs/cgroup/${v2}`;

describe('isolation', () => {
  const engine = useDaemon();
  const run = (...args: string[]) => engine.ok('run', '--rm', ...args);
  const status = async (...flags: string[]) => {
    const text = await run(...flags, 'busybox', 'cat', '/proc/self/status');
    return (field: string) => new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(text)?.[1];
  };

  it('capabilities are the default set, with nothing to inherit', async () => {
    const field = await status();
    for (const set of ['CapPrm', 'CapEff', 'CapBnd']) assert.equal(field(set), DEFAULT_CAPABILITIES, set);
    for (const set of ['CapInh', 'CapAmb']) assert.equal(field(set), '0000000000000000', set);
  });

  it('capabilities are added, dropped, and gone for other users', async () => {
    assert.equal((await status('--cap-drop', 'ALL'))('CapEff'), '0000000000000000');
    assert.equal((await status('--cap-drop', 'ALL', '--cap-add', 'NET_RAW'))('CapBnd'), '0000000000002000');
    assert.equal((await status('--cap-add', 'NET_ADMIN'))('CapEff'), '00000000a80435fb');
    const user = await status('-u', '1000');
    assert.deepEqual([user('CapEff'), user('CapBnd')], ['0000000000000000', DEFAULT_CAPABILITIES]);
    assert.match(
      (await engine.docker('run', '--rm', '--cap-add', 'NO_SUCH', 'busybox')).stderr,
      /invalid CapAdd: unknown capability: "(CAP_)?NO_SUCH"/,
    );
  });

  it('seccomp filters, unless told not to', async () => {
    assert.equal((await status())('Seccomp'), '2');
    assert.equal((await status('--security-opt', 'seccomp=unconfined'))('Seccomp'), '0');
    assert.equal((await status('--privileged'))('Seccomp'), '0');
    const denied = await engine.docker('run', '--rm', 'busybox', 'unshare', '-Ur', 'true');
    assert.notEqual(denied.code, 0);
  });

  it('no_new_privs is set when asked, for exec too', async () => {
    assert.equal((await status())('NoNewPrivs'), '0');
    assert.equal((await status('--security-opt', 'no-new-privileges'))('NoNewPrivs'), '1');
    const name = `nnp-${engine.id}`;
    await engine.ok(
      'run',
      '-d',
      '--name',
      name,
      '--security-opt',
      'no-new-privileges',
      '--cap-drop',
      'ALL',
      'busybox',
      'sleep',
      '60',
    );
    const text = await engine.ok('exec', name, 'cat', '/proc/self/status');
    assert.match(text, /^NoNewPrivs:\s*1$/m);
    assert.match(text, /^Seccomp:\s*2$/m);
    assert.match(text, /^CapEff:\s*0{16}$/m);
    await engine.ok('rm', '-f', name);
  });

  it('masked paths are empty and read-only ones are read-only', async () => {
    const masked = '/proc/kcore /proc/keys /proc/timer_list /proc/latency_stats /proc/sched_debug';
    const script = `for f in ${masked}; do [ ! -e $f ] || wc -c < $f; done; ls /proc/acpi /proc/scsi /sys/firmware 2>/dev/null | grep -v : | wc -w`;
    const sizes = (await run('busybox', 'sh', '-c', script)).split('\n');
    assert.ok(sizes.length >= 2);
    assert.deepEqual([...new Set(sizes)], ['0']);
    const writes =
      'echo x > /proc/sys/kernel/core_pattern; echo 1 > /proc/irq/default_smp_affinity; mkdir /sys/kernel/x';
    const { stdout, stderr } = await engine.docker('run', '--rm', 'busybox', 'sh', '-c', writes);
    assert.equal((stdout + stderr).match(/Read-only file system/g)?.length, 3, stdout + stderr);
  });

  it("a container does not change the owner or mode of the host's /dev/null, which masks files and could be a stdin", async () => {
    const facts = () => {
      const { uid, gid, mode } = statSync('/dev/null');
      return [uid, gid, mode];
    };
    const before = facts();
    const change = 'chmod 600 /proc/keys /proc/timer_list /proc/self/fd/0 2>/dev/null; true';
    await run('busybox', 'sh', '-c', change);
    await engine.ok('run', '-d', '--name', 'changing', 'busybox', 'sleep', '60');
    for (const flags of [[], ['-d'], ['-u', '7'], ['-u', '7', '-d']]) {
      await engine.ok('exec', ...flags, 'changing', 'sh', '-c', change);
      assert.deepEqual(facts(), before, flags.join(' '));
    }
    await engine.ok('rm', '-f', 'changing');
    assert.deepEqual(facts(), before);
  });

  it('namespaces are separate, and shared where asked', async () => {
    assert.equal(await run('busybox', 'sh', '-c', 'echo $$'), '1');
    assert.match(await run('--pid', 'host', 'busybox', 'cat', '/proc/1/comm'), /./);
    assert.notEqual(await run('--pid', 'host', 'busybox', 'sh', '-c', 'echo $$'), '1');
    const base = `ns-${engine.id}`;
    await engine.ok('run', '-d', '--name', base, '--ipc', 'shareable', 'busybox', 'sleep', '60');
    const namespaces = (path: string) => ['sh', '-c', `readlink ${path}/ns/pid; readlink ${path}/ns/ipc`];
    const own = await engine.ok('exec', base, ...namespaces('/proc/self'));
    assert.equal(
      await run(
        '--pid',
        `container:${base}`,
        '--ipc',
        `container:${base}`,
        'busybox',
        ...namespaces('/proc/self'),
      ),
      own,
    );
    await engine.ok('exec', base, 'touch', '/dev/shm/shared');
    assert.equal(await run('--ipc', `container:${base}`, 'busybox', 'ls', '/dev/shm'), 'shared');
    await engine.ok('rm', '-f', base);
  });

  it('a read-only root lets only tmpfs and volumes be written', async () => {
    const script = 'touch /x 2>&1; touch /tmp/y && echo tmp; touch /dev/shm/z && echo shm';
    const text = await run('--read-only', '--tmpfs', '/tmp', 'busybox', 'sh', '-c', script);
    assert.equal(text, 'touch: /x: Read-only file system\ntmp\nshm');
  });

  it('limits of processes and kernel settings are taken over', async () => {
    assert.equal(
      await run('--ulimit', 'nofile=512:1024', 'busybox', 'sh', '-c', 'ulimit -Sn; ulimit -Hn'),
      '512\n1024',
    );
    assert.equal(
      await run(
        '--sysctl',
        'net.ipv4.ip_forward=0',
        '--sysctl',
        'kernel.msgmax=65000',
        'busybox',
        'cat',
        '/proc/sys/net/ipv4/ip_forward',
        '/proc/sys/kernel/msgmax',
      ),
      '0\n65000',
    );
    const host = await engine.docker(
      'run',
      '--rm',
      '--net',
      'host',
      '--sysctl',
      'net.ipv4.ip_forward=0',
      'busybox',
      'true',
    );
    assert.equal(host.code, 125);
  });

  it('devices are the default ones and those asked for', async () => {
    const names = (await run('busybox', 'ls', '/dev')).split('\n');
    for (const name of ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'shm', 'pts', 'stdin'])
      assert.ok(names.includes(name), name);
    assert.ok(!names.includes('kmsg') && !names.includes('mem'));
    // /dev/zero may always be read and written; what else is given is held to its mode.
    const nought = 'head -c 3 /dev/nought | wc -c';
    assert.equal(await run('--device', '/dev/zero:/dev/nought', 'busybox', 'sh', '-c', nought), '3');
    if (existsSync('/dev/fuse')) {
      const write = '(: < /dev/k) && echo read; (echo x > /dev/k) 2>&1 || true';
      const text = await run('--device', '/dev/fuse:/dev/k:r', 'busybox', 'sh', '-c', write);
      assert.match(text, /^read\n.*not permitted/);
    }
    const raw = await engine.docker(
      'run',
      '--rm',
      'busybox',
      'sh',
      '-c',
      'mknod /tmp/mem c 1 1 && cat /tmp/mem 2>&1 | head -c 100',
    );
    assert.match(raw.stdout + raw.stderr, /Operation not permitted/);
    if (existsSync('/dev/kmsg')) assert.match(await run('--privileged', 'busybox', 'ls', '/dev'), /^kmsg$/m);
  });

  it('limits of memory, processes and CPU are in the cgroup', async () => {
    const flags = ['--memory', '64m', '--pids-limit', '99', '--cpus', '0.5', '--cpu-shares', '512'];
    const files = [
      cgroup('memory/memory.limit_in_bytes', 'memory.max'),
      cgroup('pids/pids.max', 'pids.max'),
      'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d" " -f1 /sys/fs/cgroup/cpu.max',
    ];
    assert.equal(await run(...flags, 'busybox', 'sh', '-c', files.join('; ')), `${64 << 20}\n99\n50000`);
  });

  it('cgroups can be seen, not changed', async () => {
    const text = await run(
      'busybox',
      'sh',
      '-c',
      'mkdir /sys/fs/cgroup/pids/x 2>&1 || mkdir /sys/fs/cgroup/x 2>&1; true',
    );
    assert.match(text, /Read-only file system/);
  });

  it('what takes too much memory is killed, and that is told', async () => {
    const name = `oom-${engine.id}`;
    const greedy = 'x=a; while :; do x=$x$x; done';
    const { code } = await engine.docker(
      'run',
      '--name',
      name,
      '--memory',
      '24m',
      '--memory-swap',
      '24m',
      'busybox',
      'sh',
      '-c',
      greedy,
    );
    assert.equal(code, 137);
    assert.equal(await engine.inspect(name, '{{.State.OOMKilled}} {{.State.ExitCode}}'), 'true 137');
    await engine.ok('rm', name);
  });

  it('a fork bomb stops at its limit and can be removed', async () => {
    const name = `bomb-${engine.id}`;
    await engine.ok(
      'run',
      '-d',
      '--name',
      name,
      '--pids-limit',
      '40',
      'busybox',
      'sh',
      '-c',
      'for i in $(seq 200); do sleep 60 & done; sleep 60',
    );
    await eventually(
      () =>
        engine
          .ok('logs', name)
          .catch(String)
          .then(() => engine.inspect(name, '{{.State.Status}}')),
      (seen) => /running|exited/.test(seen),
      'it runs',
    );
    await engine.ok('rm', '-f', name);
  });

  it('a privileged container has all capabilities of the daemon', async () => {
    const field = await status('--privileged');
    const all = BigInt(`0x${field('CapEff')}`);
    assert.equal(all & BigInt(`0x${DEFAULT_CAPABILITIES}`), BigInt(`0x${DEFAULT_CAPABILITIES}`));
    assert.ok(all > BigInt(`0x${DEFAULT_CAPABILITIES}`));
  });
});
