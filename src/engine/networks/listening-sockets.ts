import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A socket that takes what comes to it: a listening TCP socket, a UDP socket without a peer. */
export interface ListeningSocket {
  protocol: 'tcp' | 'udp';
  port: number;
  /** `0.0.0.0:80`, `[::]:80`. */
  at: string;
  /** Only the host itself reaches it. */
  loopback: boolean;
}

/** States of /proc/net as include/net/tcp_states.h numbers them: TCP_LISTEN; UDP sockets without a peer are in TCP_CLOSE. */
const STATES = { tcp: '0A', udp: '07' } as const;

/** Where processes of the host's network namespace listen, each socket once. Processes that end meanwhile are left out. */
export function listeningSockets(pids: readonly number[], proc = '/proc'): ListeningSocket[] {
  const inodes = new Set(pids.flatMap((pid) => socketInodes(`${proc}/${pid}/fd`)));
  if (inodes.size === 0) return [];
  const found = (['tcp', 'udp'] as const).flatMap((protocol) =>
    [protocol, `${protocol}6`].flatMap((table) =>
      tableRows(`${proc}/self/net/${table}`).flatMap(({ local, state, inode }) =>
        state === STATES[protocol] && inodes.has(inode) ? [socketAt(protocol, local)] : [],
      ),
    ),
  );
  return [...new Map(found.map((one) => [`${one.protocol} ${one.at}`, one])).values()];
}

function socketInodes(directory: string): string[] {
  return ignoringGone(() =>
    readdirSync(directory).flatMap((fd) => {
      const link = ignoringGone(() => [readlinkSync(`${directory}/${fd}`)]);
      return /^socket:\[(\d+)\]$/.exec(link[0] ?? '')?.[1] ?? [];
    }),
  );
}

/** Rows of a table as proc(5) has them: `sl local_address rem_address st … inode`. */
function tableRows(path: string): { local: string; state: string; inode: string }[] {
  return ignoringGone(() => readFileSync(path, 'utf8').split('\n').slice(1)).flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    return local && state && inode ? [{ local, state, inode }] : [];
  });
}

/** `0100007F:1F90`: the address in host-order words of 32 bits, then the port. */
function socketAt(protocol: 'tcp' | 'udp', local: string): ListeningSocket {
  const [hex = '', portHex = ''] = local.split(':');
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex').reverse()]);
  const port = Number.parseInt(portHex, 16);
  if (bytes.length === 4) {
    return { protocol, port, at: `${bytes.join('.')}:${port}`, loopback: bytes[0] === 127 };
  }
  const address = ipv6Text(Buffer.from(bytes));
  const loopback = address === '::1' || address.startsWith('::ffff:127.');
  return { protocol, port, at: `[${address}]:${port}`, loopback };
}

/** RFC 5952's form; a mapped address ends as IPv4 has it. */
function ipv6Text(bytes: Buffer): string {
  const mapped = bytes.subarray(0, 12).equals(Buffer.from('00000000000000000000ffff', 'hex'));
  if (mapped) return `::ffff:${[...bytes.subarray(12)].join('.')}`;
  const groups = (bytes.toString('hex').match(/.{4}/g) ?? []).join(':');
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

function ignoringGone<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch {
    return [];
  }
}
