import { ExitError } from './command.ts';
import { documentValue } from './document-value.ts';
import { templateFailure } from './table.ts';
import { compileTemplate, isTemplateError, parseJson } from './template/index.ts';

/** Renders one JSON document through `--format`; errors name the template and the Go type. Throws ExitError. */
export function documentRenderer(format: string, name: string, typeName: string): (text: string) => string {
  const source = format === 'json' ? '{{json .}}' : format;
  try {
    const template = compileTemplate(source);
    return (text) => {
      try {
        return template.apply(documentValue(parseJson(text)));
      } catch (thrown) {
        if (!isTemplateError(thrown)) throw thrown;
        const message = thrown
          .describe(name)
          .replace(/map has no entry for key "([^"]*)"/, `can't evaluate field $1 in type ${typeName}`);
        throw new ExitError(1, `\n${message}`);
      }
    };
  } catch (thrown) {
    if (!isTemplateError(thrown)) throw thrown;
    throw new ExitError(64, templateFailure(thrown).message.replace('template: :', `template: ${name}:`));
  }
}
