import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { eventually, execute } from './command.ts';
import { type DaemonOptions, useDaemon } from './daemon.ts';
import { NeighbourLab } from './neighbour-lab.ts';

/** A daemon on a host of its own, which other engines' firewalls do not reach, and a neighbour of that host. */
export function useLab(options: DaemonOptions = {}) {
  const lab = new NeighbourLab();
  before(() => lab.build());
  const engine = useDaemon({ ...options, launcher: ['nsenter', `--net=/run/netns/${lab.host}`] });
  after(() => lab.remove());
  return {
    lab,
    engine,
    /** Runs a command on that host, which must succeed; its output. */
    async onHost(...argv: string[]): Promise<string> {
      const { code, stdout, stderr } = await execute('ip', ['netns', 'exec', lab.host, ...argv]);
      assert.equal(code, 0, `${argv.join(' ')}: ${stderr}`);
      return stdout;
    },
    /** Waits until the neighbour hears `hello` from a port of the host. */
    answers(port: number): Promise<string> {
      return eventually(
        () => lab.ask(port),
        (text) => text === 'hello\n',
        `the neighbour is answered at ${port}`,
      );
    },
  };
}
