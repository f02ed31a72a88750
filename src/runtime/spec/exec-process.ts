import type { ExecInput } from '../spec-input.ts';
import type { OciProcess } from '../spec-types.ts';
import { capabilitiesOf } from './capabilities.ts';
import { mergeEnvironment, withHome } from './environment.ts';
import { exactLimits } from './rlimits.ts';
import { capabilitySets } from './spec.ts';

/** The environment an exec starts from: the container's; HOME follows the user. */
function environment(input: ExecInput): string[] {
  const inherited = input.ownUser
    ? input.container.env.filter((entry) => !entry.startsWith('HOME='))
    : input.container.env;
  const base = input.tty ? mergeEnvironment(inherited, ['TERM=xterm']) : inherited;
  return withHome(mergeEnvironment(base, input.env), input.user.home);
}

/** The process of `docker exec`. Pure. Errors: `invalid`. */
export function execProcess(input: ExecInput): OciProcess {
  const { container, hostConfig, host, user } = input;
  const granted = input.privileged ? [...host.capabilities] : capabilitiesOf(hostConfig, host.capabilities);
  const { uid, gid, additionalGids } = input.ownUser ? user : { additionalGids: [], ...container.user };
  return {
    terminal: input.tty,
    ...(input.tty && input.consoleSize && { consoleSize: input.consoleSize }),
    user: { uid, gid, additionalGids },
    args: input.args,
    env: environment(input),
    cwd: input.cwd || container.cwd,
    capabilities: capabilitySets(granted),
    ...(container.rlimits && { rlimits: exactLimits(container.rlimits) }),
    noNewPrivileges: container.noNewPrivileges ?? false,
    ...(container.apparmorProfile && { apparmorProfile: container.apparmorProfile }),
    ...(container.oomScoreAdj !== undefined && { oomScoreAdj: container.oomScoreAdj }),
  };
}
