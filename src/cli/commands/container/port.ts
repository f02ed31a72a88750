import { WharfError } from '../../../base/index.ts';
import { inspectContainer } from '../../../client/index.ts';
import type { CommandSpec } from '../../command.ts';

export const command: CommandSpec = {
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  summary: 'List port mappings or a specific mapping for the container',
  flags: [],
  arity: { min: 1, max: 2 },
  completes: ['containers'],
  async run(context, flags) {
    const [id = '', wanted] = flags.operands;
    const ports = (await inspectContainer(context.client(), id)).NetworkSettings.Ports ?? {};
    const where = (binding: { HostIp: string; HostPort: string }) =>
      `${binding.HostIp.includes(':') ? `[${binding.HostIp}]` : binding.HostIp}:${binding.HostPort}`;
    if (wanted === undefined) {
      const rows = Object.entries(ports).flatMap(([port, bindings]) =>
        (bindings ?? []).map((binding) => `${port} -> ${where(binding)}`),
      );
      const number = (row: string) => Number.parseInt(row, 10);
      context.print(
        rows
          .sort((a, b) => number(a) - number(b) || (a < b ? -1 : a > b ? 1 : 0))
          .map((line) => `${line}\n`)
          .join(''),
      );
      return 0;
    }
    const [number = '', protocol = 'tcp'] = wanted.split('/');
    if (!/^\d+$/.test(number))
      throw new WharfError(
        'invalid',
        `Error: invalid port (${wanted}): strconv.ParseUint: parsing ${JSON.stringify(number)}: invalid syntax`,
      );
    const bindings = ports[`${Number(number)}/${protocol}`];
    if (!bindings || bindings.length === 0)
      throw new WharfError('not-found', `Error: No public port '${wanted}' published for ${id}`);
    context.print(bindings.map((binding) => `${where(binding)}\n`).join(''));
    return 0;
  },
};
