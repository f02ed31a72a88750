import type { ContainerRow, ImageRow, VolumeRow } from '../client/index.ts';
import { ellipsis, goTime, humanDuration, humanSize, truncateId } from './human.ts';
import { type Row, row } from './table.ts';
import { quote } from './template/quote.ts';

/** Headers of a list of containers. */
export const CONTAINER_HEADERS: Readonly<Record<string, string>> = {
  ID: 'CONTAINER ID',
  Names: 'NAMES',
  Image: 'IMAGE',
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  RunningFor: 'CREATED',
  Ports: 'PORTS',
  State: 'STATE',
  Status: 'STATUS',
  Size: 'SIZE',
  Labels: 'LABELS',
  Mounts: 'MOUNTS',
  LocalVolumes: 'LOCAL VOLUMES',
  Networks: 'NETWORKS',
  Platform: 'PLATFORM',
};

/** A container as a row. `now` is in milliseconds. */
export function containerRow(item: ContainerRow, now: number, full: boolean): Row {
  const labels = item.Labels ?? {};
  const cells = row(
    {
      Command: () => quote(full ? item.Command : ellipsis(item.Command, 20)),
      CreatedAt: () => goTime(new Date(item.Created * 1000)),
      ID: () => (full ? item.Id : truncateId(item.Id)),
      Image: () => imageName(item, full),
      Labels: () => labelList(labels),
      LocalVolumes: () => String((item.Mounts ?? []).filter((mount) => mount.Driver === 'local').length),
      Mounts: () =>
        (item.Mounts ?? [])
          .map((mount) => mount.Name || mount.Source || '')
          .map((name) => (full ? name : ellipsis(name, 15)))
          .join(','),
      Names: () => names(item, full),
      Networks: () =>
        Object.keys(item.NetworkSettings?.Networks ?? {})
          .sort()
          .join(','),
      Ports: () => portList(item.Ports ?? []),
      RunningFor: () => `${humanDuration(now / 1000 - item.Created)} ago`,
      Size: () => {
        const own = humanSize(item.SizeRw ?? 0, 3);
        return (item.SizeRootFs ?? 0) > 0 ? `${own} (virtual ${humanSize(item.SizeRootFs ?? 0, 3)})` : own;
      },
      State: () => item.State,
      Status: () => item.Status,
    },
    labels,
  );
  return new Map([...cells, ['Platform', () => null] as const]);
}

function imageName(item: ContainerRow, full: boolean): string {
  if (item.Image === '') return '<no image>';
  if (full) return item.Image;
  if (item.ImageID !== '' && truncateId(item.ImageID) === truncateId(item.Image))
    return truncateId(item.Image);
  return item.Image.replace(/@sha256:[0-9a-f]{64}$/, '');
}

/** The names without their slash; those of links, which have two parts, only when nothing is cut. */
function names(item: ContainerRow, full: boolean): string {
  const bare = (item.Names ?? []).map((name) => name.replace(/^\//, ''));
  return (full ? bare : bare.filter((name) => !name.includes('/'))).join(',');
}

/** `a=b,c=d`, sorted. */
export function labelList(labels: Readonly<Record<string, string>> | null): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}

type Port = NonNullable<ContainerRow['Ports']>[number];

/** Ports as `ps` shows them: neighbours with the same address joined to a range. */
export function portList(ports: readonly Port[]): string {
  const sorted = [...ports].sort(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      compare(a.IP ?? '', b.IP ?? '') ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      compare(a.Type, b.Type),
  );
  const out: string[] = [];
  const single: string[] = [];
  const ranges = new Map<string, { first: number; last: number }>();
  const close = (key: string, range: { first: number; last: number }) =>
    out.push(rangeText(key, range.first, range.last));
  for (const port of sorted) {
    const { PrivatePort: inside, PublicPort: outside } = port;
    if (port.IP && outside !== inside && outside !== undefined) {
      single.push(`${host(port.IP)}:${outside}->${inside}/${port.Type}`);
      continue;
    }
    const key = port.IP ? `${port.IP}|${port.Type}` : port.Type;
    const range = ranges.get(key);
    if (range && range.last === inside) continue;
    if (range && range.last + 1 === inside) {
      range.last = inside;
      continue;
    }
    if (range) close(key, range);
    ranges.set(key, { first: inside, last: inside });
  }
  for (const [key, range] of [...ranges].sort(([a], [b]) => compare(a, b))) close(key, range);
  return [...out, ...single].join(', ');
}

function rangeText(key: string, first: number, last: number): string {
  const [address, type] = key.includes('|') ? key.split('|') : ['', key];
  const span = first === last ? String(first) : `${first}-${last}`;
  return address ? `${host(address)}:${span}->${span}/${type}` : `${span}/${type}`;
}

const host = (address: string): string => (address.includes(':') ? `[${address}]` : address);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Headers of a list of images. */
export const IMAGE_HEADERS: Readonly<Record<string, string>> = {
  ID: 'IMAGE ID',
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  Containers: 'CONTAINERS',
  VirtualSize: 'SIZE',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
};

/** One line of a list of images. */
export interface ImageLine {
  image: ImageRow;
  repository: string;
  tag: string;
  digest: string;
}

/** The first second of the year 1, Go's zero time, in Unix seconds. */
const ZERO_TIME = -62_135_596_800;

/** An image as a row; `undated` stands for the age of one without a date. */
export function imageLine(
  { image, repository, tag, digest }: ImageLine,
  now: number,
  full: boolean,
  undated = 'N/A',
): Row {
  const known = (value: number, text: () => string) => (value === -1 ? 'N/A' : text());
  return row({
    Containers: () => known(image.Containers, () => String(image.Containers)),
    CreatedAt: () => goTime(new Date(image.Created * 1000)),
    CreatedSince: () =>
      image.Created <= ZERO_TIME ? undated : `${humanDuration(now / 1000 - image.Created)} ago`,
    Digest: () => digest,
    ID: () => (full ? image.Id : truncateId(image.Id)),
    Repository: () => repository,
    SharedSize: () => known(image.SharedSize, () => humanSize(image.SharedSize)),
    Size: () => humanSize(image.Size, 3),
    Tag: () => tag,
    UniqueSize: () =>
      image.Size === -1 || image.SharedSize === -1 ? 'N/A' : humanSize(image.Size - image.SharedSize),
    VirtualSize: () => humanSize(image.Size),
  });
}

/**
 * The lines that one image takes: one for every tag, with `digests` one for every tag and digest; one for a repository
 * with digests only, with `alone` one for each of those; or `<none>`.
 */
export function imageLines(image: ImageRow, digests = false, alone = digests): ImageLine[] {
  const tags = (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>');
  const known = new Map<string, string[]>();
  for (const text of (image.RepoDigests ?? []).filter((digest) => digest !== '<none>@<none>')) {
    const at = text.indexOf('@');
    const repository = text.slice(0, at);
    known.set(repository, [...(known.get(repository) ?? []), text.slice(at + 1)]);
  }
  if (tags.length === 0 && known.size === 0)
    return [{ image, repository: '<none>', tag: '<none>', digest: '<none>' }];
  const tagged = new Set<string>();
  const lines = tags.flatMap((name): ImageLine[] => {
    const at = name.lastIndexOf(':');
    const [repository, tag] = [name.slice(0, at), name.slice(at + 1)];
    tagged.add(repository);
    const shown = digests ? (known.get(repository) ?? ['<none>']) : ['<none>'];
    return shown.map((digest) => ({ image, repository, tag, digest }));
  });
  for (const [repository, all] of known)
    if (!tagged.has(repository))
      for (const digest of alone ? all : ['']) lines.push({ image, repository, tag: '<none>', digest });
  return lines;
}

/** A volume as a row. */
export function volumeRow(item: VolumeRow): Row {
  return row(
    {
      Availability: () => 'N/A',
      Driver: () => item.Driver,
      Group: () => 'N/A',
      Labels: () => labelList(item.Labels),
      Links: () => (item.UsageData ? String(item.UsageData.RefCount) : 'N/A'),
      Mountpoint: () => item.Mountpoint,
      Name: () => item.Name,
      Scope: () => item.Scope,
      Size: () => (item.UsageData ? humanSize(item.UsageData.Size) : 'N/A'),
      Status: () => 'N/A',
    },
    item.Labels,
  );
}

/** The one line that an image has where its names do not matter: with its first tag. */
export function firstLine(image: ImageRow): ImageLine {
  const [first] = imageLines(image);
  return first && first.tag !== '<none>'
    ? { ...first, digest: '' }
    : { image, repository: '<none>', tag: '<none>', digest: '' };
}
