import { main } from './main.ts';

/** Ends the process once both outputs have taken all that was written. */
function leave(code: number): void {
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 141 : 1));
}

function fail(thrown: unknown): void {
  process.stderr.write(`wharf: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  leave(1);
}

process.once('uncaughtException', fail);
main(process.argv.slice(2), process, process.env).then(leave, fail);
