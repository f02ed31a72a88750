import { errnoCode, isKind, WharfError } from '../../base/index.ts';
import { type CreateRequest, createContainer, createImage } from '../../client/index.ts';
import { type Context, ExitError } from '../command.ts';
import { describeError } from '../errors.ts';
import { fileError, nodeFs } from '../files.ts';
import type { ParsedFlags } from '../flags.ts';
import { checkPlatform } from '../platform.ts';
import { SILENT, showProgress } from '../progress.ts';
import { familiarName, fullName, splitTarget } from '../reference.ts';
import { registryAuth } from '../registry-auth.ts';
import { safeText } from '../sanitize.ts';
import { createRequest } from './request.ts';

/** A failure of `run` or `create` as Docker's client words it. */
export function withHelp(context: Context, thrown: unknown, code = 125): ExitError {
  if (thrown instanceof ExitError) return thrown;
  const text = describeError(thrown);
  return new ExitError(
    code,
    `${context.program}: ${text}\n\nRun '${context.program} ${context.path} --help' for more information`,
  );
}

/** Checks the flags against each other and builds the request. Throws ExitError. */
export function buildRequest(context: Context, flags: ParsedFlags): CreateRequest {
  try {
    const pull = flags.string('pull');
    if (!['always', 'missing', 'never', ''].includes(pull))
      throw new WharfError(
        'invalid',
        `invalid pull option: '${pull}': must be one of "always", "missing" or "never"`,
      );
    const request = createRequest(flags, context.env);
    if (flags.bool('rm') && !['', 'no'].includes(flags.string('restart').split(':')[0] ?? ''))
      throw new WharfError('invalid', 'conflicting options: cannot specify both --restart and --rm');
    return request;
  } catch (thrown) {
    throw withHelp(context, thrown);
  }
}

/**
 * Creates the container, after pulling its image if it must, and writes its id to the file that was asked for. The
 * file is made first, so that no container is left whose id could not be told. Gives the id. Throws WharfError.
 */
export async function create(context: Context, flags: ParsedFlags, request: CreateRequest): Promise<string> {
  const cidfile = flags.string('cidfile');
  if (cidfile === '') return makeContainer(context, flags, request);
  const fd = openIdFile(cidfile);
  try {
    const id = await makeContainer(context, flags, request);
    nodeFs().writeSync(fd, id);
    return id;
  } catch (thrown) {
    nodeFs().rmSync(cidfile, { force: true });
    throw thrown;
  } finally {
    nodeFs().closeSync(fd);
  }
}

function openIdFile(file: string): number {
  try {
    return nodeFs().openSync(file, 'wx', 0o666);
  } catch (thrown) {
    const found = errnoCode(thrown) === 'EEXIST';
    throw new WharfError(
      found ? 'conflict' : 'invalid',
      found
        ? `container ID file found, make sure the other container isn't running or delete ${file}`
        : `failed to create the container ID file: ${fileError(file, thrown).message}`,
      { cause: thrown },
    );
  }
}

async function makeContainer(context: Context, flags: ParsedFlags, request: CreateRequest): Promise<string> {
  const image = flags.operands[0] ?? '';
  if (!/^(?:sha256:)?[0-9a-f]{64}$/.test(image)) splitTarget(image);
  checkPlatform(flags.string('platform'));
  const platform = flags.string('platform').toLowerCase() || undefined;
  const query = { name: flags.string('name') || undefined, platform };
  if (flags.string('pull') === 'always') await pull(context, image, platform, flags.bool('quiet'));
  const made = await createContainer(context.client(), request, query).catch(async (thrown: unknown) => {
    const missing =
      isKind(thrown, 'not-found') &&
      /No such image|does not match the specified platform/.test(WharfError.from(thrown).message);
    if (!missing || flags.string('pull') === 'never') throw thrown;
    if (!flags.bool('quiet')) context.warn(`Unable to find image '${familiarName(image)}' locally\n`);
    await pull(context, image, platform, flags.bool('quiet'));
    return createContainer(context.client(), request, query);
  });
  for (const warning of made.Warnings ?? []) context.warn(`WARNING: ${safeText(warning)}\n`);
  return made.Id;
}

async function pull(
  context: Context,
  image: string,
  platform: string | undefined,
  quiet: boolean,
): Promise<void> {
  const { name, tag, digest } = fullName(image);
  const response = await createImage(
    context.client(),
    { fromImage: name, tag: digest ?? tag ?? 'latest', platform },
    undefined,
    await registryAuth(context, name),
  );
  await showProgress(response, quiet ? SILENT : context.stderr);
}

/** The exit code of a container that could not start: 127 not found, 126 not executable, else 125. */
export function startFailureCode(message: string): number {
  if (
    /executable file not found|no such file or directory|system cannot find the file specified/.test(message)
  )
    return 127;
  if (/permission denied|is a directory/.test(message)) return 126;
  return 125;
}
