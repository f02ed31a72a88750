import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { newId, silentLog } from '../base/index.ts';
import { detectCgroups, removeCgroup } from '../sys/index.ts';
import { hostFacts } from './host-facts.ts';
import { loadSeccompProfile } from './spec/seccomp.ts';
import { assembleSpec } from './spec/spec.ts';
import type { SpecInput } from './spec-input.ts';
import { openTaskService, type TaskServiceOptions } from './task-service.ts';
import type { RuntimeBinary, TaskRequest, TaskService } from './types.ts';

export const CRUN: RuntimeBinary = { name: 'crun', path: '/usr/bin/crun', args: [] };
export const RUNC: RuntimeBinary = { name: 'runc', path: '/usr/bin/runc', args: [] };
export const SECCOMP_PROFILE = '/usr/share/containers/seccomp.json';

/** What a test may want otherwise than by default. */
export interface RequestOptions {
  runtime?: RuntimeBinary;
  input?: Partial<SpecInput>;
  task?: Partial<TaskRequest>;
}

/** A place on the real host where containers of a small root file system run; gone after `dispose`. */
export interface RuntimeWorld extends AsyncDisposable {
  root: string;
  rootfs: string;
  /** The parent of all its containers' control groups. */
  cgroupParent: string;
  service: TaskService;
  /** Another service on the same directories, as a restarted daemon has it. */
  reopen(options?: Partial<TaskServiceOptions>): TaskService;
  request(args: string[], options?: RequestOptions): TaskRequest & { logPath: string };
}

const APPLETS = [
  'sh',
  'true',
  'cat',
  'sleep',
  'echo',
  'grep',
  'ls',
  'stty',
  'pwd',
  'env',
  'dd',
  'head',
  'tail',
];

/** Opens a world. */
export function openRuntimeWorld(): RuntimeWorld {
  const root = mkdtempSync(join(tmpdir(), 'wharf-runtime-'));
  const rootfs = `${root}/rootfs`;
  for (const dir of ['bin', 'proc', 'sys', 'dev', 'tmp']) mkdirSync(`${rootfs}/${dir}`, { recursive: true });
  cpSync('/bin/busybox', `${rootfs}/bin/busybox`);
  for (const name of APPLETS) symlinkSync('busybox', `${rootfs}/bin/${name}`);
  const reopen = (options: Partial<TaskServiceOptions> = {}) =>
    openTaskService({ execRoot: `${root}/exec`, conmonPath: '/usr/bin/conmon', log: silentLog, ...options });
  const service = reopen();
  const cgroupParent = `/${basename(root)}`;
  const host = hostFacts();
  const seccomp = loadSeccompProfile(SECCOMP_PROFILE);
  return {
    root,
    rootfs,
    cgroupParent,
    service,
    reopen,
    request(args, { runtime = CRUN, input = {}, task = {} } = {}) {
      const id = newId();
      const spec = assembleSpec({
        id,
        hostname: id.slice(0, 12),
        config: {},
        hostConfig: { NetworkMode: 'none' },
        path: args[0] ?? '',
        args: args.slice(1),
        rootfs,
        user: { uid: 0, gid: 0, additionalGids: [0], home: '/root', name: 'root' },
        mounts: [],
        namespaces: {},
        host,
        defaults: { cgroupParent, seccomp },
        ...input,
      });
      const logPath = `${root}/${id}.log`;
      const plain = { id, spec, runtime, terminal: false, openStdin: false, stdinOnce: true };
      return { ...plain, ...task, logPath };
    },
    async [Symbol.asyncDispose]() {
      for (const id of await service.leftovers()) await service.purge(id);
      removeCgroup(detectCgroups(), cgroupParent);
      rmSync(root, { recursive: true, force: true });
    },
  };
}
