import { WharfError } from '../../../base/index.ts';
import { inspectContainer } from '../../../client/index.ts';
import type { CommandSpec } from '../../command.ts';
import { compareNatural } from '../../natural-order.ts';
import { type Binding, parsePort } from '../../run/ports.ts';

type PortMap = Readonly<Record<string, readonly Binding[] | null>>;

export const command: CommandSpec = {
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  summary: 'List port mappings or a specific mapping for the container',
  flags: [],
  arity: { min: 1, max: 2 },
  completes: ['containers'],
  async run(context, flags) {
    const [id = '', wanted = ''] = flags.operands;
    const ports = (await inspectContainer(context.client(), id)).NetworkSettings.Ports ?? {};
    const rows =
      wanted === ''
        ? Object.entries(ports).flatMap(([port, bindings]) =>
            (bindings ?? []).map((binding) => `${port} -> ${where(binding)}`),
          )
        : mapped(ports, wanted, id).map(where);
    context.print(
      rows
        .sort(compareNatural)
        .map((line) => `${line}\n`)
        .join(''),
    );
    return 0;
  },
};

/** What one port of the container is published on. Throws WharfError with Docker's text. */
function mapped(ports: PortMap, wanted: string, id: string): readonly Binding[] {
  const [number = '', protocol = ''] = wanted.split('/');
  try {
    parsePort(number);
  } catch (thrown) {
    throw new WharfError('invalid', `Error: invalid port (${number}): ${WharfError.from(thrown).message}`);
  }
  const bindings = ports[`${number}/${protocol || 'tcp'}`] ?? [];
  if (bindings.length === 0)
    throw new WharfError('not-found', `Error: No public port '${wanted}' published for ${id}`);
  return bindings;
}

/** Address and port, as one word. */
function where({ HostIp, HostPort }: Binding): string {
  return `${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`;
}
