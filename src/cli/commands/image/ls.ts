import { filterText, listImages } from '../../../client/index.ts';
import type { CommandSpec } from '../../command.ts';
import { flag } from '../../flags.ts';
import { IMAGE_HEADERS, imageLine, imageLines } from '../../rows.ts';
import { filterFlag, filtersOf, listFormat } from '../../shared-flags.ts';
import { renderListing } from '../../table.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  summary: 'List images',
  flags: [
    flag('a,all', 'bool', 'Show all images (default hides intermediate images)'),
    flag('digests', 'bool', 'Show digests'),
    filterFlag(),
    listFormat(),
    flag('no-trunc', 'bool', "Don't truncate output"),
    flag('q,quiet', 'bool', 'Only show image IDs'),
    flag('tree', 'bool', 'List multi-platform images as a tree (EXPERIMENTAL)'),
  ],
  arity: { min: 0, max: 1 },
  completes: 'images',
  async run(context, flags) {
    const filters = filtersOf(flags.list('filter'));
    const [reference] = flags.operands;
    if (reference !== undefined) filters['reference'] = [...(filters['reference'] ?? []), reference];
    if (flags.bool('tree')) {
      const { showTree } = await import('../../image-tree.ts');
      return showTree(context, flags, filterText(filters));
    }
    const images = await listImages(context.client(), {
      all: flags.bool('all'),
      filters: filterText(filters),
    });
    const quiet = flags.bool('quiet');
    const full = flags.bool('no-trunc');
    const chosen = flags.string('format') || (quiet ? '' : (context.config().imagesFormat ?? ''));
    const digests = flags.bool('digests') || chosen.includes('.Digest');
    const lines = images.flatMap((image) => imageLines(image, digests, flags.bool('digests')));
    const standard = `table {{.Repository}}\t{{.Tag}}\t${digests ? '{{.Digest}}\t' : ''}{{.ID}}\t{{.CreatedSince}}\t{{.Size}}`;
    const format = chosen === '' || chosen === 'table' ? (quiet ? '{{.ID}}' : standard) : chosen;
    const rows = lines.map((line) => imageLine(line, context.now(), full, format === standard ? 'N/A' : ''));
    context.print(
      await renderListing({ format, typeName: '*formatter.imageContext', headers: IMAGE_HEADERS, rows }),
    );
    return 0;
  },
};
