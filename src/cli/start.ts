import { main } from './main.ts';

/** Ends the process once both outputs have taken all that was written. */
function leave(code: number): void {
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 141 : 1));
}

main(process.argv.slice(2), process, process.env).then(leave, (thrown: unknown) => {
  process.stderr.write(
    `wharf: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`,
  );
  leave(1);
});
