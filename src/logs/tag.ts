import { hostname } from 'node:os';
import { WharfError } from '../base/index.ts';
import { TAG_FUNCTIONS, type TagValue } from './tag-functions.ts';

/** What a `tag` log option may name. */
export interface TagSource {
  id: string;
  name: string;
  imageId: string;
  imageName: string;
  entrypoint: string;
  args: readonly string[];
  labels: Readonly<Record<string, string>>;
  env: readonly string[];
  /** The log's options. */
  config: Readonly<Record<string, string>>;
  logPath: string;
  daemonName: string;
}

const SHORT_ID = 12;

/** The names that the reference engine offers in a tag. */
const FIELDS: Readonly<Record<string, (source: TagSource) => TagValue>> = {
  ID: ({ id }) => id.slice(0, SHORT_ID),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  ImageID: ({ imageId }) => imageId.slice(0, SHORT_ID),
  ImageFullID: ({ imageId }) => imageId,
  ImageName: ({ imageName }) => imageName,
  Command: ({ entrypoint, args }) => [entrypoint, ...args].join(' '),
  Hostname: () => hostname(),
  DaemonName: ({ daemonName }) => daemonName,
  ContainerID: ({ id }) => id,
  ContainerName: ({ name }) => `/${name}`,
  ContainerEntrypoint: ({ entrypoint }) => entrypoint,
  ContainerArgs: ({ args }) => args,
  ContainerImageID: ({ imageId }) => imageId,
  ContainerImageName: ({ imageName }) => imageName,
  ContainerEnv: ({ env }) => env,
  ContainerLabels: ({ labels }) => labels,
  Config: ({ config }) => config,
  LogPath: ({ logPath }) => logPath,
};

/** A string, a number, a field, a function's name, or a bar between two commands. */
const WORD =
  /\s*(?:("(?:[^"\\]|\\.)*"|`[^`]*`)|(-?\d+)(?![\w.])|\.(\w+)(?![\w.])|([A-Za-z]\w*)(?![\w.])|(\|))/gy;

/**
 * The text of a `tag` log option: names (`{{.Name}}/{{.ID}}`), functions of them (`{{upper .Name}}`,
 * `{{index .ContainerLabels "team"}}`), one after the other with `|`. Errors: `invalid` for fields and functions that
 * there are not, with the text of the reference engine, and for conditions and loops.
 */
export function formatTag(template: string, source: TagSource): string {
  return template.replace(/\{\{-?(.*?)-?\}\}/gs, (_whole, inner: string, offset: number) => {
    const text = evaluate(inner, source, offset + 2, template);
    if (typeof text === 'object') throw beyond(template);
    return String(text);
  });
}

function beyond(template: string): WharfError {
  return refusal(
    `the log tag ${JSON.stringify(template)} has more than names of fields and functions of them`,
  );
}

function refusal(text: string): WharfError {
  return new WharfError('invalid', text);
}

function evaluate(inner: string, source: TagSource, offset: number, template: string): TagValue {
  let piped: TagValue[] = [];
  for (const command of commandsOf(inner, template)) {
    const [first, ...others] = command;
    if (first === undefined) throw refusal('template: log-tag:1: missing value for command');
    const values = others.map((word) => wordValue(word, source, offset, template));
    if (!('name' in first)) {
      if (others.length + piped.length > 0) throw beyond(template);
      piped = [wordValue(first, source, offset, template)];
      continue;
    }
    piped = [call(first.name, [...values, ...piped], template)];
  }
  return piped[0] as TagValue;
}

type Word = { value: string | number } | { field: string; at: number } | { name: string };

/** The commands of an action, each with its words. */
function commandsOf(inner: string, template: string): Word[][] {
  const text = inner.trimEnd();
  const commands: Word[][] = [[]];
  let read = 0;
  for (const match of text.matchAll(WORD)) {
    const [whole, quoted, number, field, name, bar] = match;
    read += whole.length;
    const words = commands.at(-1) as Word[];
    if (bar) commands.push([]);
    else if (quoted) words.push({ value: unquoted(quoted, template) });
    else if (number) words.push({ value: Number(number) });
    else if (field) words.push({ field, at: match.index + whole.lastIndexOf('.') - leading(text) });
    else if (name) words.push({ name });
  }
  if (read < text.length) throw beyond(template);
  return commands;
}

function leading(text: string): number {
  return text.length - text.trimStart().length;
}

function unquoted(text: string, template: string): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    throw beyond(template);
  }
}

function wordValue(word: Word, source: TagSource, offset: number, template: string): TagValue {
  if ('value' in word) return word.value;
  if ('name' in word) throw beyond(template);
  const { field, at: place } = word;
  const found = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined;
  if (found) return found(source);
  const at = `log-tag:1:${offset + place}: executing "log-tag" at <.${field}>`;
  throw refusal(`template: ${at}: can't evaluate field ${field} in type *logger.Info`);
}

const KEYWORDS = ['if', 'range', 'with', 'end', 'else', 'define', 'template', 'block', 'break', 'continue'];

function call(name: string, args: readonly TagValue[], template: string): TagValue {
  if (KEYWORDS.includes(name)) throw beyond(template);
  const work = Object.hasOwn(TAG_FUNCTIONS, name) ? TAG_FUNCTIONS[name] : undefined;
  if (!work) throw refusal(`template: log-tag:1: function "${name}" not defined`);
  const result = work(args);
  if (result === undefined) throw refusal(`template: log-tag:1: wrong arguments for ${name}`);
  return result;
}
