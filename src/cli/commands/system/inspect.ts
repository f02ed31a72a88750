import { isKind, WharfError } from '../../../base/index.ts';
import {
  inspectContainerText,
  inspectImageText,
  inspectNetworkText,
  inspectVolumeText,
} from '../../../client/index.ts';
import { atLeast, type CommandSpec, type Context } from '../../command.ts';
import { flag } from '../../flags.ts';
import { inspectAll } from '../../inspecting.ts';
import { documentFormat } from '../../shared-flags.ts';

const TYPES = [
  'config',
  'container',
  'image',
  'network',
  'node',
  'plugin',
  'secret',
  'service',
  'task',
  'volume',
];
type Fetch = (context: Context, name: string, size: boolean) => Promise<string>;

const FETCH: Readonly<Record<string, Fetch>> = {
  container: (context, name, size) => inspectContainerText(context.client(), name, size),
  image: (context, name) => inspectImageText(context.client(), name),
  network: (context, name) => inspectNetworkText(context.client(), name),
  volume: (context, name) => inspectVolumeText(context.client(), name),
};

export const command: CommandSpec = {
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  summary: 'Return low-level information on objects of the engine',
  flags: [
    documentFormat(),
    flag('s,size', 'bool', 'Display total file sizes if the type is container'),
    flag('type', 'string', 'Only inspect objects of the given type'),
  ],
  arity: atLeast(1),
  completes: 'containers',
  run(context, flags) {
    const type = flags.string('type');
    if (type !== '' && !TYPES.includes(type)) {
      throw new WharfError(
        'invalid',
        `unknown type: ${JSON.stringify(type)}: must be one of ${TYPES.map((each) => JSON.stringify(each)).join(', ')}`,
      );
    }
    if (flags.changed('type') && type === '')
      throw new WharfError(
        'invalid',
        `type is empty: must be one of ${TYPES.map((each) => JSON.stringify(each)).join(', ')}`,
      );
    return inspectAll(context, flags.operands, flags.string('format'), (name) =>
      find(context, name, type, flags.bool('size')),
    );
  },
};

async function find(context: Context, name: string, type: string, size: boolean): Promise<string> {
  if (type !== '') {
    const fetch = FETCH[type];
    if (!fetch) throw new WharfError('not-implemented', `objects of type ${type} are not part of this build`);
    return fetch(context, name, size);
  }
  for (const fetch of Object.values(FETCH)) {
    try {
      return await fetch(context, name, size);
    } catch (thrown) {
      if (!isKind(thrown, 'not-found') && !isKind(thrown, 'invalid')) throw thrown;
    }
  }
  throw new WharfError('not-found', `Error: No such object: ${name}`);
}
