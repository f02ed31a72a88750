import { WharfError } from '../../../base/index.ts';
import { ANY_OPERANDS, type CommandSpec } from '../../command.ts';
import { storedContexts } from '../../config.ts';
import { inspectAll } from '../../inspecting.ts';
import { documentFormat } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] [CONTEXT] [CONTEXT...]',
  summary: 'Display detailed information on one or more contexts',
  flags: [documentFormat()],
  arity: ANY_OPERANDS,
  completes: 'contexts',
  run(context, flags) {
    const names = flags.operands.length > 0 ? flags.operands : [context.contextName()];
    return inspectAll(context, names, flags.string('format'), async (name) => {
      const stored = storedContexts(context.config().dir).find((each) => each.name === name);
      if (!stored && name !== 'default')
        throw new WharfError('not-found', `context ${JSON.stringify(name)} does not exist`);
      const docker = { Host: stored?.host ?? context.address(), SkipTLSVerify: stored?.skipVerify ?? false };
      return JSON.stringify({
        Name: name,
        Metadata: stored?.description ? { Description: stored.description } : {},
        Endpoints: { docker },
        TLSMaterial: {},
        Storage: { MetadataPath: '<IN MEMORY>', TLSPath: stored?.tlsDir ?? '<IN MEMORY>' },
      });
    });
  },
};
