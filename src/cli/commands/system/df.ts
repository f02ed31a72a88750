import { type DiskUsage, diskUsage } from '../../../client/index.ts';
import { type CommandSpec, type Context, NO_OPERANDS } from '../../command.ts';
import { flag } from '../../flags.ts';
import { humanSize } from '../../human.ts';
import {
  CONTAINER_HEADERS,
  containerRow,
  firstLine,
  IMAGE_HEADERS,
  imageLine,
  volumeRow,
} from '../../rows.ts';
import { listFormat } from '../../shared-flags.ts';
import { type Row, renderListing, row, templateFailure, unescapeFormat } from '../../table.ts';

const HEADERS = {
  Type: 'TYPE',
  TotalCount: 'TOTAL',
  Active: 'ACTIVE',
  Size: 'SIZE',
  Reclaimable: 'RECLAIMABLE',
};

interface Sum {
  type: string;
  total: number;
  active: number;
  size: number;
  reclaimable: number;
  /** Whether the share of what can be won is shown. */
  share: boolean;
}

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Show disk usage',
  flags: [listFormat(), flag('v,verbose', 'bool', 'Show detailed information on space usage')],
  arity: NO_OPERANDS,
  async run(context, flags) {
    const usage = await diskUsage(context.client());
    const chosen = flags.string('format');
    if (flags.bool('verbose')) {
      const standard = chosen === '' || chosen === 'table';
      context.print(await (standard ? verbose(context, usage) : verboseFormat(context, usage, chosen)));
      return 0;
    }
    const rows = sums(usage).map((sum) =>
      row({
        Active: () => String(sum.active),
        Reclaimable: () =>
          sum.share && sum.size > 0
            ? `${humanSize(sum.reclaimable)} (${Math.trunc((sum.reclaimable * 100) / sum.size)}%)`
            : humanSize(sum.reclaimable),
        Size: () => humanSize(sum.size),
        TotalCount: () => String(sum.total),
        Type: () => sum.type,
      }),
    );
    const standard = 'table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}';
    context.print(
      await renderListing({
        format: chosen === '' || chosen === 'table' ? standard : chosen,
        typeName: '*formatter.diskUsageImagesContext',
        headers: HEADERS,
        rows,
      }),
    );
    return 0;
  },
};

function sums(usage: DiskUsage): Sum[] {
  const images = usage.Images ?? [];
  const containers = usage.Containers ?? [];
  const volumes = usage.Volumes ?? [];
  const cache = usage.BuildCache ?? [];
  const used = images.filter((image) => image.Containers > 0);
  const usedSize = used.reduce(
    (sum, image) => sum + (image.Size === -1 || image.SharedSize === -1 ? 0 : image.Size - image.SharedSize),
    0,
  );
  const running = containers.filter((each) => ['running', 'paused', 'restarting'].includes(each.State));
  const own = (list: typeof containers) => list.reduce((sum, each) => sum + (each.SizeRw ?? 0), 0);
  const bound = volumes.filter((each) => (each.UsageData?.RefCount ?? 0) > 0);
  const volumeSize = (list: typeof volumes) =>
    list.reduce((sum, each) => sum + Math.max(0, each.UsageData?.Size ?? 0), 0);
  const cacheSize = cache.filter((each) => !each.Shared).reduce((sum, each) => sum + each.Size, 0);
  const cacheIdle = cache
    .filter((each) => !each.Shared && !each.InUse)
    .reduce((sum, each) => sum + each.Size, 0);
  return [
    {
      type: 'Images',
      total: images.length,
      active: used.length,
      size: usage.LayersSize,
      reclaimable: usage.LayersSize - usedSize,
      share: true,
    },
    {
      type: 'Containers',
      total: containers.length,
      active: running.length,
      size: own(containers),
      reclaimable: own(containers) - own(running),
      share: true,
    },
    {
      type: 'Local Volumes',
      total: volumes.length,
      active: bound.length,
      size: volumeSize(volumes),
      reclaimable: volumeSize(volumes) - volumeSize(bound),
      share: true,
    },
    {
      type: 'Build Cache',
      total: cache.length,
      active: cache.filter((each) => each.InUse).length,
      size: cacheSize,
      reclaimable: cacheIdle,
      share: false,
    },
  ];
}

async function verbose(context: Context, usage: DiskUsage): Promise<string> {
  const now = context.now();
  const images = await renderListing({
    format:
      'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}',
    typeName: '*formatter.imageContext',
    headers: IMAGE_HEADERS,
    rows: (usage.Images ?? []).map((image) => imageLine(firstLine(image), now, false)),
  });
  const containers = await renderListing({
    format:
      'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}',
    typeName: '*formatter.ContainerContext',
    headers: CONTAINER_HEADERS,
    rows: (usage.Containers ?? []).map((each) => containerRow({ ...each, SizeRootFs: 0 }, now, false)),
  });
  const volumes = await renderListing({
    format: 'table {{.Name}}\t{{.Links}}\t{{.Size}}',
    typeName: '*formatter.volumeContext',
    headers: { Name: 'VOLUME NAME', Links: 'LINKS', Size: 'SIZE' },
    rows: (usage.Volumes ?? []).map((each) =>
      row({
        Name: () => each.Name,
        Links: () => String(each.UsageData?.RefCount ?? 0),
        Size: () => humanSize(each.UsageData?.Size ?? 0),
      }),
    ),
  });
  const cache = usage.BuildCache ?? [];
  const size = humanSize(cache.filter((each) => !each.Shared).reduce((sum, each) => sum + each.Size, 0));
  const header = await renderListing({
    format: 'table {{.ID}}\t{{.Type}}\t{{.Size}}\t{{.Created}}\t{{.Last}}\t{{.Usage}}\t{{.Shared}}',
    typeName: '',
    headers: {
      ID: 'CACHE ID',
      Type: 'CACHE TYPE',
      Size: 'SIZE',
      Created: 'CREATED',
      Last: 'LAST USED',
      Usage: 'USAGE',
      Shared: 'SHARED',
    },
    rows: [],
  });
  return `Images space usage:\n\n${images}\nContainers space usage:\n\n${containers}\nLocal Volumes space usage:\n\n${volumes}\nBuild cache usage: ${size}\n\n${header}`;
}

/** All lists as one value: as JSON, or through a template. */
async function verboseFormat(context: Context, usage: DiskUsage, format: string): Promise<string> {
  const { compileTemplate, isTemplateError, Methods, toJson } = await import('../../template/index.ts');
  const now = context.now();
  const methods = (type: string, rows: readonly Row[]) => rows.map((each) => new Methods(type, each));
  const value = {
    Images: methods(
      '*formatter.imageContext',
      (usage.Images ?? []).map((image) => imageLine(firstLine(image), now, true)),
    ),
    Containers: methods(
      '*formatter.ContainerContext',
      (usage.Containers ?? []).map((each) => containerRow({ ...each, SizeRootFs: 0 }, now, true)),
    ),
    Volumes: methods('*formatter.volumeContext', (usage.Volumes ?? []).map(volumeRow)),
    BuildCache: [],
  };
  if (format === 'json' || format === '{{json .}}') return toJson(value);
  try {
    return compileTemplate(unescapeFormat(format)).apply(value);
  } catch (thrown) {
    throw isTemplateError(thrown) ? templateFailure(thrown, 'template parsing error') : thrown;
  }
}
