import { WharfError } from '../base/index.ts';

/** What a `tag` log option may name. */
export interface TagSource {
  id: string;
  name: string;
  imageId: string;
  imageName: string;
  command: string;
  daemonName: string;
}

const SHORT_ID = 12;

/** The names that the reference engine offers in a tag. */
const FIELDS: Readonly<Record<string, (source: TagSource) => string>> = {
  ID: ({ id }) => id.slice(0, SHORT_ID),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  ImageID: ({ imageId }) => imageId.slice(0, SHORT_ID),
  ImageFullID: ({ imageId }) => imageId,
  ImageName: ({ imageName }) => imageName,
  Command: ({ command }) => command,
  DaemonName: ({ daemonName }) => daemonName,
};

/**
 * The text of a `tag` log option. Only names are known (`{{.Name}}/{{.ID}}`). Errors: `invalid` for others, with the
 * text of the reference engine, and for what is more than a name.
 */
export function formatTag(template: string, source: TagSource): string {
  return template.replace(/\{\{-?(.*?)-?\}\}/gs, (_whole, inner: string, offset: number) => {
    const name = /^\s*\.(\w+)\s*$/.exec(inner)?.[1];
    if (name === undefined) {
      throw new WharfError(
        'invalid',
        `the log tag ${JSON.stringify(template)} has more than names of fields`,
      );
    }
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (field) return field(source);
    const at = `log-tag:1:${offset + 2}: executing "log-tag" at <.${name}>`;
    throw new WharfError('invalid', `template: ${at}: can't evaluate field ${name} in type *logger.Info`);
  });
}
