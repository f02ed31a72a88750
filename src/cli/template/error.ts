/**
 * A template that cannot be read (`parse`) or applied (`execute`). The message starts after `template: NAME`,
 * with the place: `:1: unclosed action`; `describe` gives the full text with the template's name.
 */
export class TemplateError extends Error {
  readonly stage: 'parse' | 'execute';

  constructor(stage: 'parse' | 'execute', message: string) {
    super(message);
    this.name = 'TemplateError';
    this.stage = stage;
  }

  /** The text as Go prints it for a template of this name. */
  describe(name = ''): string {
    return `template: ${name}${this.message.replace('executing ""', `executing ${JSON.stringify(name)}`)}`;
  }
}
