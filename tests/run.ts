/**
 * The one test command: format and lint, types, then unit, architecture and conformance tests, then end-to-end tests with
 * real containers. Ends with `N passed, N failed`; exits 0 only when nothing failed.
 *
 *     node tests/run.ts [unit | e2e] [file …]
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const root = dirname(import.meta.dirname);
const GROUPS: Record<string, { patterns: string[]; concurrency: number }> = {
  unit: {
    patterns: ['src/**/*.test.ts', 'tests/arch/**/*.test.ts', 'tests/conformance/**/*.test.ts'],
    concurrency: 2,
  },
  e2e: { patterns: ['tests/e2e/**/*.test.ts'], concurrency: 2 },
};
/** A test file that takes longer is stuck. In milliseconds. */
const FILE_TIMEOUT = 600_000;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs a checker of the whole tree; it counts as one test. */
function check(name: string, file: string, args: string[]): Counts {
  const result = spawnSync(`${root}/node_modules/.bin/${file}`, args, { cwd: root, encoding: 'utf8' });
  const ok = result.status === 0;
  console.log(`${ok ? '✔' : '✖'} ${name}`);
  if (!ok) console.log(result.stdout, result.stderr);
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

/** Runs the test files of a group in processes of their own. */
async function runTests(files: string[], concurrency: number): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const stream = run({ files, concurrency, timeout: FILE_TIMEOUT, cwd: root });
  stream.on('test:summary', (summary) => {
    // The summary without a file is the one of the whole run.
    if (summary.file !== undefined) return;
    counts.passed = summary.counts.passed;
    counts.failed =
      summary.counts.tests - summary.counts.passed - summary.counts.skipped - summary.counts.todo;
    counts.skipped = summary.counts.skipped;
  });
  for await (const text of stream.compose(spec)) process.stdout.write(text);
  // No test at all is no success: a pattern that finds nothing, or a run that broke off.
  if (counts.passed + counts.failed + counts.skipped === 0) counts.failed = 1;
  return counts;
}

async function main(): Promise<void> {
  if (process.getuid?.() !== 0) {
    console.error('npm test: root is needed, since the tests run real containers: try again with sudo');
    process.exitCode = 1;
    return;
  }
  const asked = process.argv.slice(2);
  const named = asked.filter((arg) => !Object.hasOwn(GROUPS, arg));
  const groups = asked.filter((arg) => Object.hasOwn(GROUPS, arg));
  const results: Counts[] = [];
  if (asked.length === 0) {
    results.push(check('format and lint (biome)', 'biome', ['check', '.']));
    results.push(check('types (tsc)', 'tsc', []));
  }
  if (named.length > 0) results.push(await runTests(named, 2));
  for (const group of groups.length > 0 ? groups : named.length > 0 ? [] : Object.keys(GROUPS)) {
    const { patterns, concurrency } = GROUPS[group] as (typeof GROUPS)[string];
    const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
    console.log(`\n${group}: ${files.length} files`);
    results.push(await runTests(files, concurrency));
  }
  const sum = (pick: (counts: Counts) => number) =>
    results.reduce((total, counts) => total + pick(counts), 0);
  const failed = sum((counts) => counts.failed);
  const skipped = sum((counts) => counts.skipped);
  console.log(
    `\n${sum((counts) => counts.passed)} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
  );
  process.exitCode = failed > 0 ? 1 : 0;
}

await main();
