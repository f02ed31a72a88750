/**
 * Every operation on data, disturbed in many more places than the tests have time for: `npm run soak:data -- [--only TEXT]`.
 * Power cuts at ten shares of the operation's time on ext4 and xfs, full disks of several sizes, kills at each of many calls.
 */
import { parseArgs } from 'node:util';
import { type DataOperation, DataScene } from '../e2e/support/data-operations.ts';
import { disturbByCuts, disturbByFullDisk, disturbByKills } from '../e2e/support/disturb.ts';
import { FilesystemLab } from '../e2e/support/filesystem-lab.ts';
import { TestDaemon } from '../e2e/support/index.ts';

const DISK = 600 << 20;
const AMOUNT = { smallFiles: 120, largeBytes: 4 << 20 };
const SHARES = [0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 0.97];
const ROOMS = [0, 4 << 10, 64 << 10, 512 << 10, 2 << 20, 6 << 20];
const EACH = [1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 28];
const SYSCALLS = [
  ...['pwrite64', 'fdatasync', 'mount', 'umount2', 'mkdir', 'mkdirat', 'rename', 'renameat2', 'unlink'],
  ...['unlinkat', 'rmdir', 'openat2', 'write', 'read', 'writev'],
];

const { values: given } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const failures: string[] = [];

async function onDisk(
  kind: 'ext4' | 'xfs',
  disturb: (at: {
    lab: FilesystemLab;
    engine: TestDaemon;
    scene: DataScene;
    operation: DataOperation;
  }) => Promise<unknown>,
  what: string,
): Promise<void> {
  const lab = new FilesystemLab(kind, DISK);
  lab.build();
  const engine = new TestDaemon({ dataRoot: lab.dataRoot });
  try {
    await engine.start();
    const scene = new DataScene(engine, AMOUNT);
    await scene.build();
    for (const operation of scene.operations()) {
      const title = `${what} on ${kind}: ${operation.title}`;
      if (!title.includes(given.only)) continue;
      try {
        await disturb({ lab, engine, scene, operation });
        console.log(`ok: ${title}`);
      } catch (thrown) {
        failures.push(title);
        console.log(`FAILED: ${title}\n`, thrown, `\n${engine.log().slice(-3000)}`);
        lab.relieve();
        await operation.undo();
      }
    }
  } finally {
    await engine.dispose().catch((thrown: unknown) => void failures.push(String(thrown)));
    await lab.remove();
  }
}

for (const kind of ['ext4', 'xfs'] as const) {
  await onDisk(
    kind,
    ({ lab, engine, scene, operation }) => disturbByCuts(lab, engine, scene, operation, SHARES),
    'power cuts',
  );
  await onDisk(
    kind,
    ({ lab, engine, scene, operation }) => disturbByFullDisk(lab, engine, scene, operation, ROOMS),
    'full disk',
  );
}
await onDisk(
  'ext4',
  ({ engine, scene, operation }) =>
    disturbByKills(
      engine,
      scene,
      operation,
      SYSCALLS.map((syscall) => [syscall, EACH] as const),
    ),
  'kills',
);
console.log(failures.length === 0 ? 'nothing was harmed' : `failed: ${failures.join('; ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;
