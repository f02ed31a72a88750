import type { CommandSpec } from '../../command.ts';
import { credentialStore, registryHost } from '../../credential-store.ts';
import { describeError } from '../../errors.ts';
import { DEFAULT_REGISTRY } from '../../registry-auth.ts';

export const command: CommandSpec = {
  usage: '[SERVER]',
  summary: 'Log out from a registry',
  flags: [],
  arity: { min: 0, max: 1 },
  completes: 'registries',
  run(context, flags) {
    const asked = flags.operands[0] ?? '';
    const standard = asked === '' || asked === 'docker.io' || asked === DEFAULT_REGISTRY;
    const host = standard ? DEFAULT_REGISTRY : registryHost(asked);
    // Older clients kept them under the address as it was typed.
    const keys = standard ? [host] : [...new Set([asked, host, `http://${host}`, `https://${host}`])];
    context.print(`Removing login credentials for ${host}\n`);
    const failed = keys.flatMap((key) => {
      try {
        credentialStore(context, key).erase(key);
        return [];
      } catch (thrown) {
        return [`${key}: ${describeError(thrown)}\n`];
      }
    });
    if (failed.length === keys.length)
      context.warn(`WARNING: could not erase credentials:\n${failed.join('')}`);
    return 0;
  },
};
