import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerConfig, HostConfig, NetworkingConfig, OCIPlatform } from '../../api/index.ts';
import { newId, rfc3339Nano, span, UndoStack, WharfError, ZERO_TIME } from '../../base/index.ts';
import { formatPlatform, matchPlatform, type Platform, parseReference } from '../../oci/index.ts';
import { checkConfig } from './check-config.ts';
import { checkHostConfigFields } from './check-host-config.ts';
import { normalizeNetworking } from './check-networking.ts';
import { checkResources } from './check-resources.ts';
import { publishContainerEvent } from './container-events.ts';
import { containerDirectory } from './container-paths.ts';
import type { CreateDeps, ResolvedImage } from './deps.ts';
import { mergeImageConfig, resolveCommand } from './image-config.ts';
import { ensureInitLayer } from './init-layer.ts';
import { resolveLinks } from './links.ts';
import { holdVolumes, makeMounts } from './make-mounts.ts';
import { planMounts } from './mount-plan.ts';
import { checkContainerName, generateName } from './names.ts';
import type { ContainerRecord } from './record.ts';
import { applyConfigDefaults, applyHostDefaults, resolveModes, withoutNulls } from './request-defaults.ts';

export interface CreateInput {
  name?: string;
  platform?: OCIPlatform;
  config: ContainerConfig;
  hostConfig: HostConfig;
  networkingConfig: NetworkingConfig;
}

/**
 * Makes a container: checks the request, completes it by image and defaults, makes its volumes, root filesystem and
 * directory, and records it, durably, before it answers. All or nothing.
 * Errors: `invalid`, `not-found` image, `conflict` name, with Docker's texts.
 */
export async function createContainer(
  deps: CreateDeps,
  input: CreateInput,
  signal?: AbortSignal,
): Promise<{ id: string; warnings: string[] }> {
  const id = newId();
  using _ = span('create', id);
  const { record, warnings } = decideContainer(deps, input, id);
  await using undo = new UndoStack(deps.log);
  // Given back before the undo, which may remove the volumes.
  using held = new DisposableStack();
  const plan = planMounts(deps.store, record.config, record.hostConfig);
  holdVolumes(deps.volumes, plan, id, held);
  const layerKey = await orGone(deps, record, ensureLayers(deps, record));
  if (signal?.aborted) throw new WharfError('cancelled', 'the request was cancelled');
  record.mounts = await makeMounts(deps, plan, { id, layerKey }, undo);
  await orGone(deps, record, deps.snapshotter.prepare(id, layerKey));
  undo.push('remove the root filesystem', () => deps.snapshotter.remove(id));
  makeDirectory(deps.dataRoot, id);
  undo.push('remove the container directory', () =>
    rmSync(containerDirectory(deps.dataRoot, id), { recursive: true, force: true }),
  );
  if (signal?.aborted) throw new WharfError('cancelled', 'the request was cancelled');
  // Only from here on does the record keep the image; nothing waits in between.
  if (!imageIsThere(deps, record)) throw noSuchImage(record.imageRef);
  insertNamed(deps, record, input.name);
  undo.commit();
  publishContainerEvent(deps.events, record, 'create');
  if (record.mounts.some((mount) => mount.Type === 'image')) {
    warnings.push('Image mount is an experimental feature');
  }
  return { id, warnings };
}

/** Everything about the new container that needs nothing made: the record, and what the client should be told. */
function decideContainer(
  deps: CreateDeps,
  input: CreateInput,
  id: string,
): { record: ContainerRecord; warnings: string[] } {
  const config = withoutNulls(input.config ?? {});
  const hostConfig = withoutNulls(input.hostConfig ?? {});
  if (Object.keys(config).length === 0) {
    throw new WharfError('invalid', 'config cannot be empty in order to create a container');
  }
  if (input.name) checkContainerName(input.name);
  checkConfig(config);
  checkHostConfigFields(config, hostConfig, deps.defaults);
  const warnings = checkResources(hostConfig, deps.host);
  // Before the defaults: a hostname that we fill in is no conflict with the host's.
  warnings.push(...(deps.check?.(config, hostConfig) ?? []));
  // Told before the missing image, as the reference does.
  if (!config.Image) resolveCommand(config);
  const image = resolveImage(deps, config.Image ?? '', input.platform);
  applyHostDefaults(hostConfig, deps.defaults, deps.host);
  resolveModes(deps.store, hostConfig);
  resolveLinks(deps.store, hostConfig);
  mergeImageConfig(config, image.config.config ?? {});
  const command = resolveCommand(config);
  applyConfigDefaults(config, hostConfig, id);
  const mode = hostConfig.NetworkMode as string;
  const { networking, warnings: more } = normalizeNetworking(
    deps.networks,
    input.networkingConfig,
    mode,
    config.MacAddress,
  );
  warnings.push(...more);
  if (mode === 'host' && (Object.keys(hostConfig.PortBindings ?? {}).length || hostConfig.PublishAllPorts)) {
    warnings.push('Published ports are discarded when using host network mode');
  }
  const record: ContainerRecord = {
    id,
    name: '',
    created: rfc3339Nano(deps.clock.nowNanos()),
    imageId: image.imageId,
    imageRef: config.Image ?? '',
    chainId: image.chainId,
    config,
    hostConfig,
    networkingConfig: networking,
    ...command,
    platform: image.platform.os,
    mounts: [],
    logPath: logPathOf(containerDirectory(deps.dataRoot, id), id, hostConfig.LogConfig?.Type),
    runtime: hostConfig.Runtime as string,
    state: newState(),
  };
  return { record, warnings: [...new Set(warnings)] };
}

function logPathOf(directory: string, id: string, driver: string | undefined): string {
  if (driver === 'none') return '';
  if (driver === 'json-file') return join(directory, `${id}-json.log`);
  return join(directory, driver === 'local' ? 'container.log' : 'container-cached.log');
}

function newState(): ContainerRecord['state'] {
  return {
    status: 'created',
    pid: 0,
    exitCode: 0,
    error: '',
    oomKilled: false,
    startedAt: ZERO_TIME,
    finishedAt: ZERO_TIME,
    restartCount: 0,
    manuallyStopped: false,
    hasStarted: false,
  };
}

function resolveImage(deps: CreateDeps, ref: string, wanted: OCIPlatform | undefined): ResolvedImage {
  const platform = wanted?.os && wanted.architecture ? (wanted as Platform) : undefined;
  const image = deps.images.resolve(ref, platform);
  if (!image) throw noSuchImage(ref);
  if (platform && !matchPlatform(platform, image.platform)) {
    throw new WharfError(
      'not-found',
      `image with reference ${ref} was found but its platform (${formatPlatform(image.platform)}) does not match the specified platform (${formatPlatform(platform)})`,
    );
  }
  return image;
}

function noSuchImage(ref: string): WharfError {
  return new WharfError('not-found', `No such image: ${withDefaultTag(ref)}`);
}

function imageIsThere(deps: CreateDeps, record: ContainerRecord): boolean {
  return deps.images.resolve(record.imageId) !== undefined;
}

/** The layers under a container; those of an image that was committed here are made at its first use. */
async function ensureLayers(deps: CreateDeps, { imageId, chainId }: ContainerRecord): Promise<string> {
  if (chainId && !deps.snapshotter.stat(chainId)) await deps.images.unpack?.(imageId);
  return ensureInitLayer(deps, chainId);
}

/** Waits for a step that stands on the image's layers: removing the image meanwhile sweeps them away. */
async function orGone<T>(deps: CreateDeps, record: ContainerRecord, step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (thrown) {
    throw imageIsThere(deps, record) ? thrown : noSuchImage(record.imageRef);
  }
}

/** Ids and digests stay as they are, a name without a tag gets `latest`. Errors: `invalid` for what can't be a name. */
function withDefaultTag(ref: string): string {
  if (/^sha256:[0-9a-f]*$/.test(ref)) return ref;
  const parsed = parseReference(ref);
  return parsed.tag || parsed.digest ? parsed.familiar() : `${parsed.familiar()}:latest`;
}

function makeDirectory(dataRoot: string, id: string): void {
  const directory = containerDirectory(dataRoot, id);
  mkdirSync(directory, { recursive: true, mode: 0o710 });
  chmodSync(directory, 0o710);
}

function insertNamed(deps: CreateDeps, record: ContainerRecord, asked: string | undefined): void {
  using _ = span('create.record', record.id);
  const taken = new Set(asked ? [] : deps.store.all().map((other) => other.name));
  record.name = asked ? checkContainerName(asked) : generateName((name) => taken.has(name));
  deps.store.insert(record);
}
