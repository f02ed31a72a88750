import { isKind, WharfError } from '../../base/index.ts';
import {
  type ImageConfigFile,
  MAX_CONFIG_BYTES,
  type Manifest,
  MediaTypes,
  parseImageConfig,
} from '../../oci/index.ts';
import type { PullSession } from './pull-session.ts';

/** Config types of images; the last ones are what old or careless registries and tools write for them. */
const IMAGE_CONFIGS: ReadonlySet<string> = new Set([
  MediaTypes.ociConfig,
  MediaTypes.dockerConfig,
  'application/octet-stream',
  'application/json',
  'text/html',
]);

/** Fetches and reads an image's config. Errors, with Docker's texts: `invalid` when it is none that can run here; `corrupt`. */
export async function pullConfig(session: PullSession, manifest: Manifest): Promise<ImageConfigFile> {
  const { config } = manifest;
  if (!IMAGE_CONFIGS.has(config.mediaType)) {
    throw new WharfError('invalid', `unsupported media type ${config.mediaType}`);
  }
  if (config.size > MAX_CONFIG_BYTES) {
    throw new WharfError('invalid', `the image config ${config.digest} is said to have ${config.size} bytes`);
  }
  await fetchConfig(session, manifest);
  const file = parse(await session.deps.content.read(config.digest, MAX_CONFIG_BYTES));
  if (file.os && file.os !== 'linux') {
    throw new WharfError(
      'invalid',
      `image operating system ${JSON.stringify(file.os)} cannot be used on this platform: operating system is not supported`,
    );
  }
  return file;
}

async function fetchConfig({ deps, lease, fetch, signal }: PullSession, { config }: Manifest): Promise<void> {
  lease.add(config.digest);
  if ((await deps.content.stat(config.digest))?.size === config.size) return;
  try {
    await fetch(config, {}, signal, { urgent: true }).arrived;
  } catch (thrown) {
    const { kind, message } = WharfError.from(thrown);
    if (kind === 'cancelled') throw thrown;
    const why = kind === 'corrupt' ? `image config verification failed for digest ${config.digest}` : message;
    throw new WharfError(kind, `error pulling image configuration: ${why}`, { cause: thrown });
  }
}

function parse(bytes: Buffer): ImageConfigFile {
  try {
    return parseImageConfig(bytes);
  } catch (thrown) {
    if (!isKind(thrown, 'invalid') || !/^invalid image config\.rootfs/.test((thrown as Error).message))
      throw thrown;
    throw new WharfError('invalid', 'invalid rootfs in image configuration', { cause: thrown });
  }
}
