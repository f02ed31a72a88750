import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, WharfError } from '../../../base/index.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { storedContexts } from '../../config.ts';

export const command: CommandSpec = {
  usage: 'CONTEXT',
  summary: 'Set the current context',
  flags: [],
  arity: exactly(1),
  completes: 'contexts',
  run(context, flags) {
    const [name = ''] = flags.operands;
    const { dir } = context.config();
    if (name !== 'default' && !storedContexts(dir).some((each) => each.name === name)) {
      throw new WharfError(
        'not-found',
        `context ${JSON.stringify(name)}: context not found: open ${join(dir, 'contexts', 'meta')}: no such file or directory`,
      );
    }
    saveCurrent(dir, name === 'default' ? undefined : name);
    context.print(`${name}\n`);
    context.warn(`Current context is now ${JSON.stringify(name)}\n`);
    return 0;
  },
};

/** Writes the choice beside whatever else the file says. */
function saveCurrent(dir: string, currentContext: string | undefined): void {
  const file = join(dir, 'config.json');
  let before: Record<string, unknown> = {};
  try {
    before = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch (thrown) {
    if (errnoCode(thrown) !== 'ENOENT') throw thrown;
  }
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, `${JSON.stringify({ ...before, currentContext }, null, '\t')}\n`, { mode: 0o600 });
  renameSync(partial, file);
}
