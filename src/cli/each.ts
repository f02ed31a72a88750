import type { Context } from './command.ts';
import { describeError } from './errors.ts';

/** Does something to every operand in turn, prints its name when done, and goes on after a failure. Exit code 1 if any failed. */
export async function forEach(
  context: Context,
  operands: readonly string[],
  work: (operand: string) => Promise<unknown>,
): Promise<number> {
  const errors: string[] = [];
  for (const operand of operands) {
    try {
      const shown = await work(operand);
      if (shown !== false) context.print(`${typeof shown === 'string' ? shown : operand}\n`);
    } catch (thrown) {
      errors.push(describeError(thrown));
    }
  }
  if (errors.length === 0) return 0;
  context.warn(`${errors.join('\n')}\n`);
  return 1;
}

/** The same for operations that wait long: all begin at once, the results keep their order. */
export async function forEachAtOnce(
  context: Context,
  operands: readonly string[],
  work: (operand: string) => Promise<unknown>,
): Promise<number> {
  const started = operands.map((operand) => work(operand));
  for (const each of started) each.catch(() => undefined);
  return forEach(
    context,
    operands.map((_operand, at) => String(at)),
    async (at) => {
      const shown = await started[Number(at)];
      return typeof shown === 'string' || shown === false ? shown : (operands[Number(at)] ?? '');
    },
  );
}
