import { WharfError } from '../../../base/index.ts';
import { verify } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { flag } from '../../flags.ts';
import { safeCell } from '../../sanitize.ts';

export const command: CommandSpec = {
  usage: '--verify [OPTIONS]',
  summary: "Check the engine's promises against the machine",
  flags: [
    flag('json', 'bool', 'Print the findings in JSON format'),
    flag('verify', 'bool', "Compare the kernel's objects with the database"),
  ],
  arity: NO_OPERANDS,
  async run(context, flags) {
    if (!flags.bool('verify')) throw new WharfError('invalid', 'say what to check: wharf doctor --verify');
    const report = await verify(context.client());
    const findings = report.findings ?? [];
    const holds = report.ok && findings.length === 0;
    if (flags.bool('json')) context.print(`${JSON.stringify(report, null, 4)}\n`);
    else if (holds) context.print('All promises hold.\n');
    else for (const { check, problem } of findings) context.print(`${safeCell(`${check}: ${problem}`)}\n`);
    return holds ? 0 : 1;
  },
};
