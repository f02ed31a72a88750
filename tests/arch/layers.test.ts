import { describe, it } from 'node:test';
import { assertNone, type Import, isTest, type SourceFile, sourceFiles } from './source.ts';

/** The layers of the server chain; a folder imports from lower ones only. */
const SERVER: Record<string, number> = {
  base: 0,
  sys: 0.5,
  oci: 1,
  api: 1,
  archive: 2,
  content: 2,
  meta: 2,
  snapshot: 2,
  registry: 2,
  network: 2,
  volume: 2,
  runtime: 2,
  logs: 2,
  vm: 2,
  build: 3,
  scan: 3,
  engine: 4,
  server: 5,
  daemon: 6,
  registryd: 5,
};

/** The client chain stands on `base`, `sys`, `oci`, `api` and `archive` (`cp` packs and unpacks here), and on itself. */
const CLIENT: Record<string, number> = {
  base: 0,
  sys: 0.5,
  oci: 1,
  api: 1,
  archive: 1.5,
  client: 2,
  compose: 3,
  cli: 4,
};

/** Layer-2 folders are islands. Types of these others may be named, by their `types.ts`. */
const ISLAND_TYPES = new Set([
  'volume → snapshot',
  'volume → meta',
  'network → meta',
  'snapshot → meta',
  'registry → content',
  'registry → meta',
  'meta → content',
]);

/** The client asks registries itself (`tags`, `manifest`), and `wharf registry` is the registry's own program. */
const STARTS = new Set(['cli → registry/client', 'cli → registry', 'cli → registryd']);

/** Contracts beside `index.ts` and `types.ts` by which a folder is entered. */
const CONTRACTS = [
  /^src\/engine\/containers\/(record|store)\.ts$/,
  /^src\/server\/backend\/\w+\.ts$/,
  /^src\/registryd\/settings\.ts$/,
  /^src\/runtime\/spec-(types|input)\.ts$/,
  /^src\/api\/(filters\.ts|types\/[\w-]+\.ts)$/,
];

const files = sourceFiles('src');

/** `base`, `engine/containers`, `registry/client`: the unit that is entered by its index. */
function folderOf(path: string): string {
  const [, top = '', area = ''] = path.split('/');
  return (top === 'engine' || top === 'registry') && !area.endsWith('.ts') ? `${top}/${area}` : top;
}

const topOf = (path: string) => path.split('/')[1] ?? '';

/** Each import that leaves its folder. */
function* crossings(): Generator<{ file: SourceFile; entry: Import & { target: string } }> {
  for (const file of files)
    for (const entry of file.imports)
      if (entry.target !== undefined && folderOf(entry.target) !== folderOf(file.path))
        yield { file, entry: { ...entry, target: entry.target } };
}

const place = (file: SourceFile, entry: Import) => `${file.path}:${entry.line} imports ${entry.specifier}`;

describe('layers', () => {
  it('every folder of src has a layer', () => {
    const unknown = files
      .map(({ path }) => topOf(path))
      .filter((top) => !(top in SERVER) && !(top in CLIENT));
    assertNone([...new Set(unknown)]);
  });

  it('imports come from lower layers only', () => {
    const wrong: string[] = [];
    for (const { file, entry } of crossings()) {
      const [from, to] = [topOf(file.path), topOf(entry.target)];
      if (from === to || (isTest(file) && to in SERVER && from in SERVER && testMay(from, to))) continue;
      const chain = from in SERVER ? SERVER : CLIENT;
      const [upper, lower] = [chain[from], chain[to]];
      const island = upper === 2 && lower === 2 && ISLAND_TYPES.has(`${from} → ${to}`);
      if (STARTS.has(`${from} → ${folderOf(entry.target)}`)) continue;
      if (island && entry.typeOnly && entry.target.endsWith('/types.ts')) continue;
      if (lower === undefined || upper === undefined || lower >= upper) wrong.push(place(file, entry));
    }
    assertNone(wrong);
  });

  it('a folder is entered by index.ts, types.ts or a named contract', () => {
    const wrong: string[] = [];
    for (const { file, entry } of crossings()) {
      const inside = entry.target.split('/').slice(folderOf(entry.target).split('/').length + 1);
      const byDoor = inside.length === 1 && /^(index|types|suite)\.ts$/.test(inside[0] ?? '');
      const contract = CONTRACTS.some((pattern) => pattern.test(entry.target));
      if (!byDoor && !contract && !isTest(file)) wrong.push(place(file, entry));
    }
    assertNone(wrong);
  });

  it('relative imports name a file that is there, with its ending', () => {
    const known = new Set(files.map(({ path }) => path));
    const wrong = files.flatMap((file) =>
      file.imports.flatMap((entry) =>
        entry.target === undefined || known.has(entry.target) || !entry.target.startsWith('src/')
          ? []
          : place(file, entry),
      ),
    );
    assertNone(wrong);
  });

  it('there is no cycle of imports at run time', () => {
    assertNone(cycles());
  });

  it('only sys loads foreign code', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter(({ specifier }) => specifier === 'koffi' && topOf(file.path) !== 'sys')
        .map((entry) => place(file, entry)),
    );
    assertNone(wrong);
  });

  it('only daemon and cli read the environment', () => {
    const wrong = files
      .filter((file) => !isTest(file) && !/^(daemon|cli)$/.test(topOf(file.path)))
      .filter(({ code }) => /\bprocess\s*\.\s*env\b/.test(code))
      .map(({ path }) => path);
    assertNone(wrong);
  });

  it('no module works when it is imported', () => {
    const wrong: string[] = [];
    for (const file of files) {
      if (isTest(file) || /(^|[/-])(main|start|worker)\.ts$/.test(file.path)) continue;
      file.code.split('\n').forEach((line, at) => {
        if (/^(await\s+|void\s+)?[A-Za-z_$][\w$.]*\(/.test(line))
          wrong.push(`${file.path}:${at + 1} ${line}`);
      });
    }
    assertNone(wrong);
  });
});

/** Tests may use a real implementation of another island of their own layer or below (a database, a content store). */
function testMay(from: string, to: string): boolean {
  return (SERVER[to] ?? 9) <= (SERVER[from] ?? 0);
}

/** Strongly connected groups of files that import each other at run time (Tarjan). */
function cycles(): string[] {
  const edges = new Map(
    files.map(({ path, imports }) => [
      path,
      imports.flatMap(({ target, typeOnly }) => (target && !typeOnly ? [target] : [])),
    ]),
  );
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[] = [];
  const visit = (path: string) => {
    order.set(path, order.size);
    low.set(path, order.get(path)!);
    stack.push(path);
    for (const next of edges.get(path) ?? []) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) low.set(path, Math.min(low.get(path)!, low.get(next)!));
    }
    if (low.get(path) !== order.get(path)) return;
    const group = stack.splice(stack.indexOf(path));
    if (group.length > 1 || edges.get(path)?.includes(path)) found.push(group.sort().join(' ↔ '));
  };
  for (const path of edges.keys()) if (!order.has(path)) visit(path);
  return found;
}
