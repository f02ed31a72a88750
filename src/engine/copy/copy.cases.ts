import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerConfig, HostConfig } from '../../api/index.ts';
import { readTar, type TarInput, TarPacker } from '../../archive/index.ts';
import { resolveUser } from '../../runtime/index.ts';
import { type ContainerRecord, createContainer, hostMountOps, LiveContainers } from '../containers/index.ts';
import { type Fixture, openFixture, request } from '../containers/test-fixture.ts';
import {
  type CopyDeps,
  type CopyInOptions,
  copyIn,
  copyOut,
  StoppedRoots,
  statContainerPath,
} from './index.ts';

const OPTIONS: CopyInOptions = { noOverwriteDirNonDir: false, copyUidGid: false };
/** Never fires. */
export const calm = new AbortController().signal;

/** Containers whose files are real, and copies of them. */
export class CopyWorld implements AsyncDisposable {
  readonly deps: CopyDeps;
  readonly fixture: Fixture;

  constructor(fixture: Fixture) {
    this.fixture = fixture;
    const { root, deps } = fixture;
    const paths = {
      mounts: join(root, 'mounts'),
      subpaths: join(root, 'subpaths'),
      containers: join(root, 'containers'),
    };
    for (const path of Object.values(paths)) mkdirSync(path, { recursive: true });
    this.deps = {
      ...deps,
      live: new LiveContainers(),
      dataRoot: root,
      paths,
      roots: new StoppedRoots(),
      resolveUser: (top, spec) => resolveUser(top, spec),
    };
  }

  /** With one image whose layer `files` fills. */
  static async open(files: (directory: string) => void = () => undefined): Promise<CopyWorld> {
    return new CopyWorld(await openFixture({ files }));
  }

  async create(
    name: string,
    hostConfig: HostConfig = {},
    config: ContainerConfig = {},
  ): Promise<ContainerRecord> {
    const asked = { ...request(config, hostConfig), name };
    const { id } = await createContainer(this.fixture.deps, asked, calm);
    return this.fixture.deps.store.resolve(id);
  }

  /** Makes the record one of a running container, its root mounted; `pid` is its first process. */
  run(record: ContainerRecord, pid: number): string {
    const target = join(this.deps.paths.mounts, record.id);
    mkdirSync(target, { recursive: true });
    hostMountOps().mount(this.deps.snapshotter.mount(record.id), target);
    record.state.status = 'running';
    record.state.pid = pid;
    return target;
  }

  stat(ref: string, path: string) {
    return statContainerPath(this.deps, ref, path);
  }

  /** Entries of the path's tar: names, and the text of files behind a colon or the target of links behind an arrow. */
  async get(ref: string, path: string): Promise<string[]> {
    await using copy = await copyOut(this.deps, ref, path, calm);
    const found: string[] = [];
    for await (const entry of readTar(copy.archive)) {
      const pieces: Uint8Array[] = [];
      for await (const piece of entry.body) pieces.push(Uint8Array.from(piece));
      const text = Buffer.concat(pieces).toString();
      found.push(entry.name + (entry.linkName ? `>${entry.linkName}` : text && `:${text}`));
    }
    return found;
  }

  put(ref: string, path: string, entries: TarInput[], options: Partial<CopyInOptions> = {}): Promise<void> {
    return copyIn(this.deps, ref, path, source(tar(entries)), { ...OPTIONS, ...options }, calm);
  }

  /** Actions of containers' events so far, creations left out. */
  actions(): string[] {
    return this.fixture.events.flatMap(({ type, action }) =>
      type === 'container' && action !== 'create' ? [action] : [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fixture[Symbol.asyncDispose]();
  }
}

/** A tar of such entries; text bodies are given as buffers. */
export function tar(entries: readonly TarInput[]): Buffer {
  const packer = new TarPacker();
  for (const entry of entries) packer.add(entry as Parameters<TarPacker['add']>[0]);
  return packer.finish();
}

/** A file entry. */
export function file(name: string, text = ''): TarInput {
  return { name, body: Buffer.from(text) };
}

/** The bytes as a stream in pieces. */
export async function* source(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 700) yield bytes.subarray(at, at + 700);
}
