import type { CommandSpec } from './command.ts';

/** A command's names and where its code is. */
export interface Entry {
  /** All words it answers to, the one in a group first. */
  readonly names: readonly string[];
  readonly summary: string;
  load(): Promise<{ command: CommandSpec }>;
}

/** Groups of commands with what they are for. */
export const GROUPS: Readonly<Record<string, string>> = {
  builder: 'Manage builds',
  completion: 'Write a completion script for a shell',
  container: 'Manage containers',
  context: 'Manage contexts',
  image: 'Manage images',
  manifest: 'Manage image manifests and manifest lists at registries',
  network: 'Manage networks',
  registry: 'Serve and look after a registry of your own',
  system: 'Manage the engine',
  volume: 'Manage volumes',
};

/** Groups within groups. */
export const SUBGROUPS: Readonly<Record<string, string>> = {
  'registry user': 'Manage the users of a registry',
};

/** The commands that a newcomer needs, in the order in which help shows them. */
export const COMMON = [
  'run',
  'exec',
  'ps',
  'pull',
  'push',
  'images',
  'login',
  'logout',
  'search',
  'version',
  'info',
];

/** What to use instead of a word of docker that this version does not have. */
const INSTEAD: Readonly<Record<string, string>> = {
  build:
    'use "wharf import" to make an image of a folder\'s tar archive, or "wharf load" one that was built elsewhere',
  buildx: 'use "wharf load" for an image that was built elsewhere',
};

/** The words that are looked for most, for the end of the help. */
export const NOT_YET = ['build', 'buildx', 'compose'];

/** Words of docker that this version does not have. */
export const ABSENT: ReadonlySet<string> = new Set(
  [
    'build',
    'buildx',
    'checkpoint',
    'compose',
    'config',
    'node',
    'plugin',
    'secret',
    'service',
    'stack',
    'swarm',
    'trust',
  ].flatMap((word) => [word, `container ${word}`, `image ${word}`]),
);

/** The error of a word of docker that this version does not have. */
export function absentText(program: string, path: string): string {
  const instead = INSTEAD[path.split(' ').at(-1) ?? ''];
  return `${program}: '${program} ${path}' is not in this version${instead === undefined ? '' : `; ${instead}`}`;
}

const entry = (names: string, summary: string, load: Entry['load']): Entry => ({
  names: names.split(', '),
  summary,
  load,
});

/** Every command. */
export const COMMANDS: readonly Entry[] = [
  entry('builder prune', 'Remove build cache', () => import('./commands/builder/prune.ts')),
  entry(
    'container attach, attach',
    'Attach local standard input, output, and error streams to a running container',
    () => import('./commands/container/attach.ts'),
  ),
  entry(
    'container commit, commit',
    "Create a new image from a container's changes",
    () => import('./commands/container/commit.ts'),
  ),
  entry(
    'container cp, cp',
    'Copy files/folders between a container and the local filesystem',
    () => import('./commands/container/cp.ts'),
  ),
  entry('container create, create', 'Create a new container', () => import('./commands/container/create.ts')),
  entry(
    'container diff, diff',
    "Show what changed in a container's filesystem",
    () => import('./commands/container/diff.ts'),
  ),
  entry(
    'container exec, exec',
    'Execute a command in a running container',
    () => import('./commands/container/exec.ts'),
  ),
  entry(
    'container export, export',
    "Export a container's filesystem as a tar archive",
    () => import('./commands/container/export.ts'),
  ),
  entry(
    'container inspect',
    'Display detailed information on one or more containers',
    () => import('./commands/container/inspect.ts'),
  ),
  entry(
    'container kill, kill',
    'Kill one or more running containers',
    () => import('./commands/container/kill.ts'),
  ),
  entry(
    'container logs, logs',
    'Fetch the logs of a container',
    () => import('./commands/container/logs.ts'),
  ),
  entry(
    'container ls, container list, container ps, ps',
    'List containers',
    () => import('./commands/container/ls.ts'),
  ),
  entry(
    'container pause, pause',
    'Pause all processes within one or more containers',
    () => import('./commands/container/pause.ts'),
  ),
  entry(
    'container port, port',
    'List port mappings or a specific mapping for the container',
    () => import('./commands/container/port.ts'),
  ),
  entry('container prune', 'Remove all stopped containers', () => import('./commands/container/prune.ts')),
  entry('container rename, rename', 'Rename a container', () => import('./commands/container/rename.ts')),
  entry(
    'container restart, restart',
    'Restart one or more containers',
    () => import('./commands/container/restart.ts'),
  ),
  entry(
    'container rm, container remove, rm',
    'Remove one or more containers',
    () => import('./commands/container/rm.ts'),
  ),
  entry(
    'container run, run',
    'Create and run a new container from an image',
    () => import('./commands/container/run.ts'),
  ),
  entry(
    'container start, start',
    'Start one or more stopped containers',
    () => import('./commands/container/start.ts'),
  ),
  entry(
    'container stats, stats',
    'Show what containers use, live',
    () => import('./commands/container/stats.ts'),
  ),
  entry(
    'container stop, stop',
    'Stop one or more running containers',
    () => import('./commands/container/stop.ts'),
  ),
  entry(
    'container top, top',
    'Display the running processes of a container',
    () => import('./commands/container/top.ts'),
  ),
  entry(
    'container unpause, unpause',
    'Unpause all processes within one or more containers',
    () => import('./commands/container/unpause.ts'),
  ),
  entry(
    'container update, update',
    'Update configuration of one or more containers',
    () => import('./commands/container/update.ts'),
  ),
  entry(
    'container wait, wait',
    'Block until one or more containers stop, then print their exit codes',
    () => import('./commands/container/wait.ts'),
  ),
  entry(
    'context inspect',
    'Display detailed information on one or more contexts',
    () => import('./commands/context/inspect.ts'),
  ),
  entry('context ls, context list', 'List contexts', () => import('./commands/context/ls.ts')),
  entry('context show', 'Print the name of the current context', () => import('./commands/context/show.ts')),
  entry('context use', 'Set the current context', () => import('./commands/context/use.ts')),
  entry(
    'image bootstrap',
    "Make a base image from the machine's own packages",
    () => import('./commands/image/bootstrap.ts'),
  ),
  entry(
    'image history, history',
    'Show the history of an image',
    () => import('./commands/image/history.ts'),
  ),
  entry(
    'image import, import',
    'Import the contents from a tarball to create a filesystem image',
    () => import('./commands/image/import.ts'),
  ),
  entry(
    'image inspect',
    'Display detailed information on one or more images',
    () => import('./commands/image/inspect.ts'),
  ),
  entry(
    'image load, load',
    'Load an image from a tar archive or STDIN',
    () => import('./commands/image/load.ts'),
  ),
  entry('image ls, image list, images', 'List images', () => import('./commands/image/ls.ts')),
  entry('image prune', 'Remove unused images', () => import('./commands/image/prune.ts')),
  entry('image pull, pull', 'Download an image from a registry', () => import('./commands/image/pull.ts')),
  entry('image push, push', 'Upload an image to a registry', () => import('./commands/image/push.ts')),
  entry('image rm, image remove, rmi', 'Remove one or more images', () => import('./commands/image/rm.ts')),
  entry(
    'image save, save',
    'Save one or more images to a tar archive (streamed to STDOUT by default)',
    () => import('./commands/image/save.ts'),
  ),
  entry(
    'image tags, tags',
    'List the tags that a registry has for an image',
    () => import('./commands/image/tags.ts'),
  ),
  entry(
    'image tag, tag',
    'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
    () => import('./commands/image/tag.ts'),
  ),
  entry(
    'manifest annotate',
    'Add additional information to a local image manifest',
    () => import('./commands/manifest/annotate.ts'),
  ),
  entry(
    'manifest create',
    'Create a local manifest list for annotating and pushing to a registry',
    () => import('./commands/manifest/create.ts'),
  ),
  entry(
    'manifest inspect',
    'Display an image manifest, or manifest list',
    () => import('./commands/manifest/inspect.ts'),
  ),
  entry('manifest push', 'Push a manifest list to a repository', () => import('./commands/manifest/push.ts')),
  entry(
    'manifest rm',
    'Delete one or more manifest lists from local storage',
    () => import('./commands/manifest/rm.ts'),
  ),
  entry('network connect', 'Connect a container to a network', () => import('./commands/network/connect.ts')),
  entry('network create', 'Create a network', () => import('./commands/network/create.ts')),
  entry(
    'network disconnect',
    'Disconnect a container from a network',
    () => import('./commands/network/disconnect.ts'),
  ),
  entry(
    'network exposure',
    'List every port of containers that can be reached, from where, and why',
    () => import('./commands/network/exposure.ts'),
  ),
  entry(
    'network inspect',
    'Display detailed information on one or more networks',
    () => import('./commands/network/inspect.ts'),
  ),
  entry('network ls, network list', 'List networks', () => import('./commands/network/ls.ts')),
  entry('network prune', 'Remove all unused networks', () => import('./commands/network/prune.ts')),
  entry('network renumber', 'Give a network other subnets', () => import('./commands/network/renumber.ts')),
  entry(
    'network rm, network remove',
    'Remove one or more networks',
    () => import('./commands/network/rm.ts'),
  ),
  entry(
    'registry gc',
    'Remove what no repository of a registry needs',
    () => import('./commands/registry/gc.ts'),
  ),
  entry('registry serve', 'Serve a registry of images', () => import('./commands/registry/serve.ts')),
  entry(
    'registry user add',
    'Add a user, or set the password of one',
    () => import('./commands/registry/user-add.ts'),
  ),
  entry('registry user ls', 'List users', () => import('./commands/registry/user-ls.ts')),
  entry('registry user rm', 'Remove one or more users', () => import('./commands/registry/user-rm.ts')),
  entry('system df', 'Show disk usage', () => import('./commands/system/df.ts')),
  entry(
    'system events, events',
    'Get real time events from the server',
    () => import('./commands/system/events.ts'),
  ),
  entry('system info, info', 'Display system-wide information', () => import('./commands/system/info.ts')),
  entry('system prune', 'Remove unused data', () => import('./commands/system/prune.ts')),
  entry('volume create', 'Create a volume', () => import('./commands/volume/create.ts')),
  entry(
    'volume inspect',
    'Display detailed information on one or more volumes',
    () => import('./commands/volume/inspect.ts'),
  ),
  entry('volume ls, volume list', 'List volumes', () => import('./commands/volume/ls.ts')),
  entry('volume prune', 'Remove unused local volumes', () => import('./commands/volume/prune.ts')),
  entry('volume rm, volume remove', 'Remove one or more volumes', () => import('./commands/volume/rm.ts')),
  entry(
    'volume update',
    'Update a volume (cluster volumes only)',
    () => import('./commands/volume/update.ts'),
  ),
  entry(
    'doctor',
    "Check the engine's promises against the machine",
    () => import('./commands/system/doctor.ts'),
  ),
  entry(
    'inspect',
    'Return low-level information on objects of the engine',
    () => import('./commands/system/inspect.ts'),
  ),
  entry('login', 'Authenticate to a registry', () => import('./commands/system/login.ts')),
  entry('logout', 'Log out from a registry', () => import('./commands/system/logout.ts')),
  entry('search', 'Search the registry for images', () => import('./commands/system/search.ts')),
  entry('version', 'Show the version information', () => import('./commands/system/version.ts')),
  entry(
    'completion bash',
    'Write the completion script for bash',
    () => import('./commands/system/completion-bash.ts'),
  ),
  entry(
    'completion fish',
    'Write the completion script for fish',
    () => import('./commands/system/completion-fish.ts'),
  ),
  entry(
    'completion zsh',
    'Write the completion script for zsh',
    () => import('./commands/system/completion-zsh.ts'),
  ),
  entry('__complete', '', () => import('./commands/system/complete.ts')),
];

/** The command that these words name, and how many of them are its name. */
export function findCommand(words: readonly string[]): { entry: Entry; path: string } | undefined {
  for (const count of [3, 2, 1]) {
    const path = words.slice(0, count).join(' ');
    if (words.length < count) continue;
    const found = COMMANDS.find((each) => each.names.includes(path));
    if (found) return { entry: found, path };
  }
  return undefined;
}
