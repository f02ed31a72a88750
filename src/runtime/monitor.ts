import { readSync, writeSync } from 'node:fs';
import { WharfError } from '../base/index.ts';
import { pipe2, pollFd, spawnProcess } from '../sys/index.ts';

/** A conmon that has answered: its process, and the moment it ends. */
export interface Monitored {
  pid: number;
  /** Resolves when the monitor has ended: it holds its end of the sync pipe until then. */
  ended: Promise<void>;
}

/** Starts conmon and waits for its answer on the sync pipe (`{"data": PID, "message"}`). Errors: `internal` with the runtime's text. */
export async function startMonitor(
  conmon: string,
  args: string[],
  onAttachable?: () => void,
): Promise<Monitored> {
  const [read, write] = pipe2();
  const gate = onAttachable && attachGate(onAttachable);
  let child: ReturnType<typeof spawnProcess>;
  try {
    child = spawnProcess({
      file: conmon,
      args,
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        _OCI_SYNCPIPE: '3',
        ...gate?.env,
      },
      fds: [{ child: 3, parent: write.fd }, ...(gate?.fds ?? [])],
    });
  } catch (thrown) {
    read.close();
    throw thrown;
  } finally {
    write.close();
    gate?.childHasThem();
  }
  void child.exited;
  const answer = Promise.withResolvers<{ data: number; message?: string }>();
  const end = Promise.withResolvers<void>();
  const chunk = Buffer.alloc(64 * 1024);
  let text = '';
  const watch = pollFd(read.fd, { readable: true }, () => {
    let count: number;
    try {
      count = readSync(read.fd, chunk, 0, chunk.length, null);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EAGAIN') return;
      count = 0;
    }
    if (count === 0) {
      watch[Symbol.dispose]();
      read.close();
      answer.reject(new WharfError('internal', `the monitor ended without an answer: ${text}`));
      end.resolve();
      return;
    }
    text += chunk.toString('utf8', 0, count);
    const line = text.indexOf('\n');
    if (line >= 0) answer.resolve(JSON.parse(text.slice(0, line)));
  });
  const { data, message = '' } = await answer.promise;
  if (data >= 0) return { pid: data, ended: end.promise };
  throw new WharfError('internal', message.trim() || `the runtime failed with ${data}`);
}

/**
 * Holds an exec back until its output is attached: conmon (`--exec-attach`) takes one byte to begin, says on
 * _OCI_ATTACHPIPE when its socket listens, and starts the process at the next byte on _OCI_STARTPIPE.
 */
function attachGate(onAttachable: () => void) {
  const [attachRead, attachWrite] = pipe2();
  const [startRead, startWrite] = pipe2();
  writeSync(startWrite.fd, Buffer.alloc(1));
  const watch = pollFd(attachRead.fd, { readable: true }, () => {
    watch[Symbol.dispose]();
    attachRead.close();
    try {
      onAttachable();
      writeSync(startWrite.fd, Buffer.alloc(1));
    } finally {
      startWrite.close();
    }
  });
  return {
    env: { _OCI_ATTACHPIPE: '4', _OCI_STARTPIPE: '5' },
    fds: [
      { child: 4, parent: attachWrite.fd },
      { child: 5, parent: startRead.fd },
    ],
    childHasThem() {
      attachWrite.close();
      startRead.close();
    },
  };
}
