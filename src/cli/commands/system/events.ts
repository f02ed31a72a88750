import type { EventRow } from '../../../client/index.ts';
import { events, filterText, jsonTexts } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { eventValue } from '../../document-value.ts';
import { flag } from '../../flags.ts';
import { localRfc3339 } from '../../human.ts';
import { safeCell } from '../../sanitize.ts';
import { documentFormat, filterFlag, filtersOf } from '../../shared-flags.ts';
import { templateFailure } from '../../table.ts';
import { compileTemplate, isTemplateError, parseJson } from '../../template/index.ts';
import { timeArgument } from '../../time-argument.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Get real time events from the server',
  flags: [
    filterFlag(),
    documentFormat('format'),
    flag('since', 'string', 'Show all events created since timestamp'),
    flag('until', 'string', 'Stream events until this timestamp'),
  ],
  arity: NO_OPERANDS,
  async run(context, flags) {
    const render = renderer(flags.string('format'));
    const time = (name: string) =>
      flags.string(name) === '' ? undefined : timeArgument(flags.string(name), context.now(), name);
    const response = await events(context.client(), {
      since: time('since'),
      until: time('until'),
      filters: filterText(filtersOf(flags.list('filter'))),
    });
    try {
      for await (const text of jsonTexts(response)) context.print(`${render(text)}\n`);
    } catch (thrown) {
      if (isTemplateError(thrown)) throw templateFailure(thrown);
      throw thrown;
    }
    return 0;
  },
};

function renderer(format: string): (text: string) => string {
  if (format === '') return (text) => eventLine(parseJson(text) as EventRow);
  try {
    const template = compileTemplate(format === 'json' ? '{{json .}}' : format);
    return (text) => template.apply(eventValue(parseJson(text)));
  } catch (thrown) {
    if (isTemplateError(thrown)) throw templateFailure(thrown);
    throw thrown;
  }
}

function eventLine(event: EventRow): string {
  const text = String(event.timeNano ?? 0);
  const nanos = /"?(\d{9})$/.exec(text)?.[1];
  const date = new Date((event.time ?? 0) * 1000);
  const attributes = event.Actor?.Attributes ?? {};
  const pairs = Object.keys(attributes)
    .sort()
    .map((key) => `${key}=${attributes[key]}`);
  const head = `${localRfc3339(date, nanos)} ${event.Type} ${event.Action} ${event.Actor?.ID ?? ''}`;
  return safeCell(pairs.length > 0 ? `${head} (${pairs.join(', ')})` : head);
}
