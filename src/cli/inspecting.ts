import { isKind } from '../base/index.ts';
import { type Context, ExitError } from './command.ts';
import { documentValue } from './document-value.ts';
import { describeError } from './errors.ts';
import { networkValue } from './network-document.ts';
import { safeText } from './sanitize.ts';
import { templateFailure } from './table.ts';
import { compileTemplate, indentJson, isTemplateError, parseJson, type Value } from './template/index.ts';

/**
 * Prints documents of the engine: as an indented list, as one line of JSON, or each through a template. Goes on after a
 * failure.
 */
export async function inspectAll(
  context: Context,
  operands: readonly string[],
  format: string,
  fetch: (operand: string) => Promise<string>,
): Promise<number> {
  const render = compile(format);
  const errors: string[] = [];
  const texts: string[] = [];
  for (const operand of operands) {
    try {
      texts.push((await fetch(operand)).trim());
    } catch (thrown) {
      errors.push(describeError(thrown));
      if (isKind(thrown, 'unavailable')) break;
    }
  }
  const show = (text: string) => context.print(context.stdout.isTTY ? safeText(text) : text);
  if (render === undefined) {
    const list = `[${texts.join(',')}]`;
    show(`${format === 'json' || texts.length === 0 ? list : indentJson(list, '', '    ')}\n`);
  } else {
    let out = '';
    try {
      for (const text of texts) out += `${render(text)}\n`;
    } catch (thrown) {
      if (!isTemplateError(thrown)) throw thrown;
      show(`${out}\n`);
      throw templateFailure(thrown);
    }
    show(out === '' ? '\n' : out);
  }
  if (errors.length === 0) return 0;
  throw new ExitError(1, errors.join('\n'));
}

function compile(format: string): ((text: string) => string) | undefined {
  if (format === '' || format === 'json') return undefined;
  try {
    const template = compileTemplate(format);
    return (text) => template.apply(templateValue(parseJson(text)));
  } catch (thrown) {
    if (isTemplateError(thrown)) throw templateFailure(thrown);
    throw thrown;
  }
}

/** A document as templates see it; networks alone have ranges of addresses. */
function templateValue(document: unknown): Value {
  const isNetwork = typeof document === 'object' && document !== null && 'IPAM' in document;
  return isNetwork ? networkValue(document) : documentValue(document);
}
