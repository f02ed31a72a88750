import type { HostConfig } from '../../api/index.ts';
import { shortId, WharfError } from '../../base/index.ts';
import type { NetworkStack } from '../../network/types.ts';
import { parseContainerPort } from './ports.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerStore } from './store.ts';

/** `name` or `name:alias`. Undefined when malformed. */
export function parseLink(link: string): { ref: string; alias: string } | undefined {
  const [ref = '', alias = ref, ...rest] = link.split(':');
  if (ref === '' || alias === '' || rest.length > 0) return undefined;
  return { ref, alias: alias.replace(/^.*\//, '') };
}

/**
 * The links of the default bridge, by the ids of their containers, so that they hold when those are renamed. On other
 * networks links are the endpoint's and these are not looked at. Errors: `invalid`, with Docker's texts.
 */
export function resolveLinks(store: Pick<ContainerStore, 'resolve'>, hostConfig: HostConfig): void {
  const links = (hostConfig.Links ?? []).map((link) => {
    const parsed = parseLink(link);
    if (!parsed) throw new WharfError('internal', `bad format for links: ${link}`);
    return parsed;
  });
  if (hostConfig.NetworkMode !== 'bridge' || links.length === 0) return;
  hostConfig.Links = links.map(({ ref, alias }) => {
    try {
      return `${store.resolve(ref).id}:${alias}`;
    } catch (thrown) {
      const why = WharfError.from(thrown).message;
      throw new WharfError('invalid', `could not get container for ${ref}: ${why}`);
    }
  });
}

/** A link on the default bridge. `target` is undefined when its container was removed. */
interface Link {
  name: string;
  alias: string;
  target: ContainerRecord | undefined;
}

/** `HostConfig.Links` as inspect shows them: `/target:/own/alias`. */
export function linkDocuments(
  store: Pick<ContainerStore, 'resolve'>,
  record: Pick<ContainerRecord, 'name' | 'hostConfig'>,
): string[] | null {
  const links = linksOf(store, record);
  return links.length > 0 ? links.map(({ name, alias }) => `/${name}:/${record.name}/${alias}`) : null;
}

/** The links of a container on the default bridge. */
export function linksOf(
  store: Pick<ContainerStore, 'resolve'>,
  { hostConfig }: Pick<ContainerRecord, 'hostConfig'>,
): Link[] {
  if (hostConfig.NetworkMode !== 'bridge') return [];
  return (hostConfig.Links ?? []).flatMap((link) => {
    const parsed = parseLink(link);
    if (!parsed) return [];
    // By id; by name in the records of versions that kept links as they were asked for.
    const target = targetOf(store, parsed.ref);
    return [{ name: target?.name ?? shortId(parsed.ref), alias: parsed.alias, target }];
  });
}

/** The container of a link; undefined when it is not there. */
export function targetOf(store: Pick<ContainerStore, 'resolve'>, ref: string): ContainerRecord | undefined {
  try {
    return store.resolve(ref);
  } catch {
    return undefined;
  }
}

/** What finding the addresses of linked containers uses. */
export interface LinkDeps {
  store: Pick<ContainerStore, 'resolve'>;
  networks: Pick<NetworkStack, 'sandbox'>;
}

/** The linked containers with their addresses on the default bridge. Errors: `internal`, as Docker answers, when one does not run. */
export function linkAddresses(
  deps: LinkDeps,
  record: Pick<ContainerRecord, 'name' | 'hostConfig'>,
): { target: ContainerRecord; alias: string; address: string }[] {
  return linksOf(deps.store, record).map(({ name, alias, target }) => {
    const sandbox = target?.sandboxId ? deps.networks.sandbox(target.sandboxId) : undefined;
    const address = sandbox?.endpoints.find(({ networkName }) => networkName === 'bridge')?.ipv4;
    if (target && address) return { target, alias, address };
    const text = `Cannot link to a non running container: /${name} AS /${record.name}/${alias}`;
    throw new WharfError('internal', text);
  });
}

/** Variables by which a container learns of those it is linked to: `DB_PORT_5432_TCP_ADDR=172.17.0.2` and so on. */
export function linkEnvironment(
  deps: LinkDeps,
  record: Pick<ContainerRecord, 'name' | 'hostConfig'>,
): string[] {
  return linkAddresses(deps, record).flatMap(({ target, alias, address }) => {
    const prefix = alias.replaceAll('-', '_').toUpperCase();
    const ports = Object.keys(target.config.ExposedPorts ?? {})
      .flatMap((text) => parseContainerPort(text) ?? [])
      .sort((a, b) => (a.protocol === b.protocol ? a.port - b.port : a.protocol < b.protocol ? -1 : 1));
    const [first] = ports;
    const own = (target.config.Env ?? []).filter((entry) => !/^(HOME|PATH)=/.test(entry));
    return [
      ...(first ? [`${prefix}_PORT=${first.protocol}://${address}:${first.port}`] : []),
      ...ports.flatMap(({ port, protocol }) => {
        const name = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
        const url = `${protocol}://${address}:${port}`;
        return [
          `${name}=${url}`,
          `${name}_ADDR=${address}`,
          `${name}_PORT=${port}`,
          `${name}_PROTO=${protocol}`,
        ];
      }),
      ...portRuns(ports).flatMap(({ protocol, first: start, last: end }) => {
        const name = `${prefix}_PORT_${start}_${protocol.toUpperCase()}`;
        const url = `${protocol}://${address}`;
        return [
          `${name}_START=${url}:${start}`,
          `${name}_PORT_START=${start}`,
          `${name}_END=${url}:${end}`,
          `${name}_PORT_END=${end}`,
        ];
      }),
      `${prefix}_NAME=/${record.name}/${alias}`,
      ...own.map((entry) => `${prefix}_ENV_${entry}`),
    ];
  });
}

/** Runs of at least two ports in a row, of sorted ports. */
function portRuns(ports: readonly { port: number; protocol: string }[]) {
  const runs: { protocol: string; first: number; last: number }[] = [];
  for (const { port, protocol } of ports) {
    const run = runs.at(-1);
    if (run?.protocol === protocol && run.last === port - 1) run.last = port;
    else runs.push({ protocol, first: port, last: port });
  }
  return runs.filter(({ first, last }) => last > first);
}
