import { WharfError } from '../base/index.ts';
import { ffi } from './libc.ts';
import { keepLowFds, withLowNetlink } from './low-fds.ts';
import { inOtherNetns } from './netns-switch.ts';

interface Library {
  open(kind: number): unknown;
  bufferOutput(context: unknown): number;
  bufferError(context: unknown): number;
  outputFlags(context: unknown, flags: number): void;
  run(context: unknown, script: string): number;
  output(context: unknown): string;
  error(context: unknown): string;
  free(context: unknown): void;
}

const FLAG_JSON = 1 << 4;
const FLAG_HANDLE = 1 << 3;

let library: Library | undefined;
let context: unknown;

/**
 * Runs nft commands as one transaction: all take effect or none. Throws `internal` with nft's own text, which names
 * the line at fault. Applies to the network namespace the thread is in.
 */
export function runNft(script: string): void {
  withContext((nft, current) => execute(nft, current, script, 0));
}

/** Runs a `list` command and gives its JSON answer, with handles (libnftables-json(5)). */
export function nftJson(command: string): unknown {
  return withContext((nft, current) => {
    const text = execute(nft, current, command, FLAG_JSON | FLAG_HANDLE);
    return text.trim() === '' ? undefined : (JSON.parse(text) as unknown);
  });
}

/** A context holds a socket of the namespace where it was made: one is kept for the host's, others live for one call. */
function withContext<T>(work: (nft: Library, current: unknown) => T): T {
  library ??= load();
  if (!inOtherNetns()) {
    context ??= newContext(library);
    return work(library, context);
  }
  const own = newContext(library);
  try {
    return work(library, own);
  } finally {
    library.free(own);
    keepLowFds();
  }
}

function execute(nft: Library, current: unknown, script: string, flags: number): string {
  if (script.includes('\0')) throw new WharfError('invalid', 'a NUL byte in an nft script');
  nft.outputFlags(current, flags);
  const status = nft.run(current, script);
  // Reading a buffer empties it; both are read so that nothing is left for the next call.
  const [output, error] = [nft.output(current), nft.error(current)];
  if (status !== 0) throw new WharfError('internal', `nft: ${error.trim() || 'the commands were refused'}`);
  return output;
}

function newContext(nft: Library): unknown {
  const made = withLowNetlink(
    () => nft.open(0),
    (opened) => opened && nft.free(opened),
  );
  if (!made) throw new WharfError('internal', 'libnftables gave no context');
  nft.bufferOutput(made);
  nft.bufferError(made);
  return made;
}

function load(): Library {
  try {
    const lib = ffi().load('libnftables.so.1');
    return {
      open: lib.func('void *nft_ctx_new(uint32_t flags)') as Library['open'],
      bufferOutput: lib.func('int nft_ctx_buffer_output(void *ctx)') as Library['bufferOutput'],
      bufferError: lib.func('int nft_ctx_buffer_error(void *ctx)') as Library['bufferError'],
      outputFlags: lib.func('void nft_ctx_output_set_flags(void *ctx, uint flags)') as Library['outputFlags'],
      run: lib.func('int nft_run_cmd_from_buffer(void *ctx, const char *buf)') as Library['run'],
      output: lib.func('const char *nft_ctx_get_output_buffer(void *ctx)') as Library['output'],
      error: lib.func('const char *nft_ctx_get_error_buffer(void *ctx)') as Library['error'],
      free: lib.func('void nft_ctx_free(void *ctx)') as Library['free'],
    };
  } catch (thrown) {
    throw new WharfError('unavailable', 'libnftables.so.1 cannot be loaded; install nftables', {
      cause: thrown,
    });
  }
}
