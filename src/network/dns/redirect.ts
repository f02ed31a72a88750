import { nftJson, runNft } from '../../sys/index.ts';

/** Where containers ask, by their resolv.conf. */
export const SERVER_ADDRESS = '127.0.0.11';
/** The name of the table tells the port, so that a new daemon finds where the last one answered and changes nothing there. */
const TABLE = /^wharf_names_(\d{1,5})$/;

/** The ports to which the present namespace sends what is meant for port 53 of the server's address: one, save after a mishap. */
export function redirectedPorts(): number[] {
  const listed = nftJson('list tables ip') as { nftables?: { table?: { name: string } }[] } | undefined;
  return (listed?.nftables ?? []).flatMap(({ table }) => {
    const port = TABLE.exec(table?.name ?? '')?.[1];
    return port === undefined ? [] : [Number(port)];
  });
}

/**
 * Sends what is meant for port 53 of the server's address to `port`, in the present namespace, in place of `former` ports.
 * Ports are rewritten without connection tracking, on the way in behind all other rules and on the way out before them: the
 * container's own rules see port 53 alone, its own server on port 53 is left alone, and tracking is not switched on for it.
 */
export function redirect(port: number, former: readonly number[]): void {
  const replaced = former.map((old) => `delete table ip wharf_names_${old}\n`).join('');
  runNft(`${replaced}table ip wharf_names_${port} {
  chain in {
    type filter hook input priority 300
    ip daddr ${SERVER_ADDRESS} meta l4proto { tcp, udp } th dport 53 th dport set ${port}
  }
  chain out {
    type filter hook output priority -310
    ip saddr ${SERVER_ADDRESS} meta l4proto { tcp, udp } th sport ${port} th sport set 53
  }
}
`);
}

/** True when the present namespace has the rules for `port`, and no others of ours. */
export function redirects(port: number): boolean {
  const ports = redirectedPorts();
  if (ports.length !== 1 || ports[0] !== port) return false;
  const listed = nftJson(`list table ip wharf_names_${port}`) as
    | { nftables?: { rule?: unknown }[] }
    | undefined;
  return (listed?.nftables ?? []).filter(({ rule }) => rule !== undefined).length === 2;
}
