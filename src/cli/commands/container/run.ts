import { WharfError } from '../../../base/index.ts';
import {
  attachContainer,
  type CreateRequest,
  type Hijacked,
  postContainer,
  resizeContainer,
  type WaitResult,
  waitContainer,
} from '../../../client/index.ts';
import { atLeast, type CommandSpec, type Context, ExitError } from '../../command.ts';
import { flag, type ParsedFlags } from '../../flags.ts';
import { buildRequest, create, startFailureCode, withHelp } from '../../run/creating.ts';
import { exitCode } from '../../run/exit-code.ts';
import { CONTAINER_FLAGS } from '../../run/flags.ts';
import { carry, checkTty, followSize, proxySignals } from '../../session.ts';
import { detachKeysFlag } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Create and run a new container from an image',
  flags: [
    ...CONTAINER_FLAGS,
    flag('d,detach', 'bool', 'Run container in background and print container ID'),
    detachKeysFlag,
    flag('sig-proxy', 'bool', 'Proxy received signals to the process', { default: true }),
  ],
  arity: atLeast(1),
  interspersed: false,
  completes: 'images',
  async run(context, flags) {
    const request = buildRequest(context, flags);
    const detach = flags.bool('detach');
    if (detach && flags.list('attach').length > 0)
      throw new ExitError(1, 'conflicting options: cannot specify both --attach and --detach');
    if (!detach) {
      try {
        checkTty(context, request['AttachStdin'] === true, flags.bool('tty'));
      } catch (thrown) {
        throw new ExitError(1, WharfError.from(thrown).message);
      }
    }
    const id = await create(context, flags, request).catch((thrown: unknown) => {
      throw withHelp(context, thrown, startFailureCode(WharfError.from(thrown).message));
    });
    return detach ? runDetached(context, id) : runAttached(context, flags, request, id);
  },
};

async function start(context: Context, id: string): Promise<void> {
  await postContainer(context.client(), id, 'start').catch((thrown: unknown) => {
    throw withHelp(context, thrown, startFailureCode(WharfError.from(thrown).message));
  });
}

async function runDetached(context: Context, id: string): Promise<number> {
  context.print(`${id}\n`);
  await start(context, id);
  return 0;
}

/** Attaches and waits before the start, so that no output and no exit is missed. */
async function runAttached(
  context: Context,
  flags: ParsedFlags,
  request: CreateRequest,
  id: string,
): Promise<number> {
  const client = context.client();
  const streams = {
    stdin: request['AttachStdin'] === true,
    stdout: request['AttachStdout'] === true,
    stderr: request['AttachStderr'] === true,
  };
  const detachKeys = flags.string('detach-keys') || context.config().detachKeys || '';
  const tty = flags.bool('tty');
  const stopProxy =
    flags.bool('sig-proxy') && !tty
      ? proxySignals(context, (signal) => postContainer(client, id, 'kill', { signal }))
      : () => undefined;
  try {
    const [hijacked, waiting] = await Promise.all([
      attachContainer(client, id, { stream: true, ...streams, detachKeys: detachKeys || undefined }).catch(
        (thrown: unknown) => {
          throw withHelp(context, thrown);
        },
      ),
      waitContainer(client, id, flags.bool('rm') ? 'removed' : 'next-exit'),
    ]);
    waiting.exit.catch(() => undefined);
    return await followRun(context, id, {
      hijacked,
      exit: waiting.exit,
      input: streams.stdin,
      tty,
      detachKeys,
      remove: flags.bool('rm'),
    });
  } finally {
    stopProxy();
  }
}

interface Running {
  hijacked: Hijacked;
  exit: Promise<WaitResult>;
  input: boolean;
  tty: boolean;
  detachKeys: string;
  remove: boolean;
}

async function followRun(context: Context, id: string, running: Running): Promise<number> {
  const session = carry(running.hijacked, context, running);
  session.catch(() => undefined);
  try {
    await start(context, id);
  } catch (thrown) {
    running.hijacked.socket.destroy();
    if (running.remove) await running.exit.catch(() => undefined);
    throw thrown;
  }
  const stopSize = running.tty
    ? followSize(context, (size) => resizeContainer(context.client(), id, size))
    : () => undefined;
  try {
    if ((await session) === 'detached') return 0;
    return await exitCode(context, running.exit);
  } finally {
    stopSize();
  }
}
