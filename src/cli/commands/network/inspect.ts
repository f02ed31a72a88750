import { inspectNetworkText } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { flag } from '../../flags.ts';
import { inspectAll } from '../../inspecting.ts';
import { documentFormat } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  summary: 'Display detailed information on one or more networks',
  flags: [documentFormat(), flag('v,verbose', 'bool', 'Verbose output for diagnostics')],
  arity: atLeast(1),
  completes: 'networks',
  run: (context, flags) =>
    inspectAll(context, flags.operands, flags.string('format'), (name) =>
      inspectNetworkText(context.client(), name, flags.bool('verbose')),
    ),
};
