import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { compileSeccomp } from '../sys/index.ts';
import { hostFacts } from './host-facts.ts';
import { filterSource, READY_FILTER, readyFilter, warmSeccomp, withReadyFilter } from './seccomp-cache.ts';
import { ALL_CAPABILITIES, DEFAULT_CAPABILITIES } from './spec/capabilities.ts';
import { loadSeccompProfile, type OciSeccomp, resolveSeccomp } from './spec/seccomp.ts';
import { openRuntimeWorld, type RuntimeWorld, SECCOMP_PROFILE } from './test-fixture.ts';

/** The same program under a name that Wharf knows nothing of: it gets `linux.seccomp` and compiles it itself. */
const UNKNOWN = { name: 'unknown', path: '/usr/bin/crun', args: [] };
const SET_TLS_32 = 0x40000003;
const ARCHES = [0xc000003e, SET_TLS_32, 0xc00000b7, 0x12345678];
/** Arguments at which the profiles' conditions change their mind: families, clone flags, personalities. */
const VALUES = [
  0n,
  1n,
  2n,
  9n,
  16n,
  38n,
  40n,
  45n,
  46n,
  0x7e020000n,
  0x10000000n,
  0x20008n,
  0xffffffffn,
  38n + (1n << 32n),
];

let world: RuntimeWorld;
before(() => {
  world = openRuntimeWorld();
});
after(() => world[Symbol.asyncDispose]());

/** Runs a classic BPF program as seccomp(2) does. */
function run(program: Buffer, data: Buffer): number {
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const code = program.readUInt16LE(at * 8);
    const value = program.readUInt32LE(at * 8 + 4);
    const jump = (holds: boolean) => {
      at += program.readUInt8(at * 8 + (holds ? 2 : 3));
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

/** Every system call on every architecture gets the same answer from both. */
function assertSame(ours: Buffer, theirs: Buffer): void {
  const data = Buffer.alloc(64);
  for (const arch of ARCHES) {
    data.writeUInt32LE(arch, 4);
    for (let number = 0; number < 480; number++) {
      for (const bit of [0, 0x40000000]) {
        data.writeUInt32LE(number + bit, 0);
        for (const first of VALUES) {
          data.writeBigUInt64LE(first, 16);
          data.writeBigUInt64LE(first === 16n ? 9n : first, 32);
          if (run(ours, data) !== run(theirs, data))
            assert.fail(
              `call ${number} of 0x${arch.toString(16)} with ${first}: ${run(ours, data)} ≠ ${run(theirs, data)}`,
            );
        }
      }
    }
  }
}

/** What the runtime itself compiles from `linux.seccomp`: it keeps the program in its state directory. */
async function compiledByRuntime(hostConfig: object): Promise<{ seccomp: OciSeccomp; program: Buffer }> {
  const request = world.request(['sleep', '60'], {
    runtime: UNKNOWN,
    input: { hostConfig: { NetworkMode: 'none', ...hostConfig } },
  });
  const task = await world.service.create(request);
  const program = readFileSync(`${world.root}/exec/runtime/unknown/${request.id}/seccomp.bpf`);
  await task.delete();
  return { seccomp: request.spec.linux.seccomp as OciSeccomp, program };
}

const USER_PROFILE = JSON.stringify({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [
    { names: ['mkdir', 'no_such_call'], action: 'SCMP_ACT_ERRNO', errnoRet: 13 },
    { names: ['personality'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 8, op: 'SCMP_CMP_EQ' }] },
    {
      names: ['socket'],
      action: 'SCMP_ACT_ERRNO',
      args: [
        { index: 0, value: 16, op: 'SCMP_CMP_EQ' },
        { index: 0, value: 38, op: 'SCMP_CMP_GE' },
      ],
    },
  ],
});

describe('ready seccomp filters', () => {
  const cases: Record<string, object> = {
    'the default profile': {},
    'no capabilities at all': { CapDrop: ['ALL'] },
    'all capabilities': { CapAdd: ['ALL'] },
    'some more capabilities': { CapAdd: ['SYS_PTRACE', 'SYSLOG', 'SYS_NICE'] },
    "a user's profile": { SecurityOpt: [`seccomp=${USER_PROFILE}`] },
  };
  for (const [name, hostConfig] of Object.entries(cases)) {
    it(`decides as the runtime's own for ${name}`, async () => {
      const { seccomp, program } = await compiledByRuntime(hostConfig);
      const ready = Buffer.from(readyFilter(seccomp) ?? '', 'base64');
      assert.ok(ready.length > 0);
      assertSame(ready, program);
    });
  }

  it('is on in the container and in an exec', async () => {
    const request = world.request(['sh', '-c', 'grep Seccomp: /proc/self/status; sleep 60']);
    const task = await world.service.create(request);
    const config = readFileSync(`${world.root}/exec/bundles/${request.id}/config.json`, 'utf8');
    assert.match(config, /run\.oci\.seccomp_bpf_data/);
    assert.equal((JSON.parse(config) as typeof request.spec).linux.seccomp, undefined);
    assert.match(readFileSync(`/proc/${task.pid}/status`, 'utf8'), /^Seccomp:\t2$/m);
    await task.start();
    const process = { ...request.spec.process!, args: ['grep', 'Seccomp:', '/proc/self/status'] };
    const exec = await task.exec({ execId: 'e1', process, openStdin: false }, { attach: true });
    let text = '';
    for await (const { data } of exec.stdio?.output ?? []) text += data;
    assert.equal(text, 'Seccomp:\t2\n');
    await task.delete();
  });

  it('is on with no-new-privileges, too', async () => {
    const hostConfig = { NetworkMode: 'none', SecurityOpt: ['no-new-privileges'] };
    const task = await world.service.create(world.request(['sleep', '60'], { input: { hostConfig } }));
    await task.start();
    let status = '';
    // The filter comes after the start here, shortly before the program.
    for (let tries = 0; tries < 200 && !/^Name:\tsleep$/m.test(status); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      status = readFileSync(`/proc/${task.pid}/status`, 'utf8');
    }
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.match(status, /^Seccomp:\t2$/m);
    await task.delete();
  });

  it('leaves alone what it cannot express', () => {
    const { spec } = world.request(['true']);
    const seccomp = spec.linux.seccomp as OciSeccomp;
    const withSeccomp = (changed: object) => ({ ...spec, linux: { ...spec.linux, seccomp: changed } });
    const notify = { ...seccomp, syscalls: [{ names: ['mount'], action: 'SCMP_ACT_NOTIFY' }] };
    for (const changed of [
      { ...seccomp, flags: ['SECCOMP_FILTER_FLAG_LOG'] },
      { ...seccomp, listenerPath: '/run/listener' },
      { ...seccomp, defaultAction: 'SCMP_ACT_WHATEVER' },
      { ...seccomp, architectures: ['SCMP_ARCH_PDP11'] },
      notify,
    ]) {
      const before = withSeccomp(changed);
      assert.equal(withReadyFilter(before, { readyFilters: true }), before);
    }
    assert.equal(withReadyFilter(spec, { readyFilters: false }), spec);
  });

  it('keeps other annotations, and never a filter given by a user', () => {
    const hostConfig = { NetworkMode: 'none', Annotations: { mine: '1', [READY_FILTER]: 'AAAA' } };
    const { spec } = world.request(['true'], { input: { hostConfig } });
    assert.deepEqual(spec.annotations, { mine: '1' });
    const ready = withReadyFilter(spec, { readyFilters: true });
    assert.equal(ready.annotations?.['mine'], '1');
    assert.notEqual(ready.annotations?.[READY_FILTER], 'AAAA');
  });

  it('compiles the filter of a plain container ahead', () => {
    const host = hostFacts();
    const profile = loadSeccompProfile(SECCOMP_PROFILE);
    warmSeccomp(profile, host);
    warmSeccomp(undefined, host);
    const { spec } = world.request(['true']);
    const expected = resolveSeccomp(profile, DEFAULT_CAPABILITIES, host, true);
    assert.deepEqual(spec.linux.seccomp, expected);
    assert.equal(
      withReadyFilter(spec, { readyFilters: true }).annotations?.[READY_FILTER],
      readyFilter(expected),
    );
  });

  it("keeps a user's listener, which only the runtime can serve", () => {
    const profile = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/run/agent', listenerMetadata: 'm' };
    const resolved = resolveSeccomp(profile, [], hostFacts(), false);
    assert.equal(resolved.listenerPath, '/run/agent');
    assert.equal(resolved.listenerMetadata, 'm');
    assert.equal(readyFilter(resolved), undefined);
  });

  it('stays bounded, and keeps what is used', () => {
    const profile = loadSeccompProfile(SECCOMP_PROFILE);
    const plain = resolveSeccomp(profile, ALL_CAPABILITIES, hostFacts(), true);
    const first = readyFilter(plain);
    for (let value = 0; value < 70; value++) {
      readyFilter({
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO', errnoRet: value + 1 }],
      });
      assert.equal(readyFilter(plain), first);
    }
  });

  it('says errno 1 where a profile says none', () => {
    const source = filterSource({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }],
    });
    assert.equal(source?.defaultValue, 1);
    assert.ok(compileSeccomp(source!).length > 0);
  });
});
