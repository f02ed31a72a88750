// Joins and leaves networks ten thousand times on the real kernel and counts what is left. Run as root by
// `npm run soak:network`, which puts it into a network namespace of its own; the number of cycles may be given.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { silentLog } from '../../src/base/index.ts';
import { openMemoryDatabase } from '../../src/meta/index.ts';
import { openNetworkStack } from '../../src/network/index.ts';
import { nftJson, RouteSocket } from '../../src/sys/index.ts';

const cycles = Number(process.argv[2] ?? 10_000);
const dir = mkdtempSync(join(tmpdir(), 'wharf-soak-'));
const config = { bridge: 'wsk0', nftTable: 'wharf-soak', bip: '10.213.0.1/24', readySandboxes: 0 };
const stack = openNetworkStack({ database: openMemoryDatabase(), execRoot: dir, config, log: silentLog });
await stack.recover(new Set());
const home = await stack.create({ name: 'home' });
const away = await stack.create({ name: 'away', enableIPv6: true });
const ports = [{ protocol: 'tcp' as const, containerPort: 80, hostIp: '', hostPort: 0 }];
const endpoints = [{ network: home.name }];
const box = await stack.createSandbox({ containerId: 'soak', containerName: 'soak', endpoints, ports });

function counts(): Record<string, number> {
  using host = RouteSocket.open();
  using inside = RouteSocket.open(box.netnsPath);
  return {
    links: host.links().length,
    'links inside': inside.links().length,
    addresses: host.addresses().length + inside.addresses().length,
    routes: host.routes('all').length + inside.routes('all').length,
    'bytes of the nft table': JSON.stringify(nftJson(`list table inet ${config.nftTable}`)).length,
    namespaces: readdirSync(join(dir, 'netns')).length,
    mounts: readFileSync('/proc/self/mountinfo', 'latin1').split(dir).length - 1,
    descriptors: readdirSync('/proc/self/fd').length,
  };
}

async function cycle(at: number): Promise<void> {
  await stack.connect(box.sandboxId, { network: away.name, gwPriority: at % 2 });
  await stack.disconnect(box.sandboxId, away.id);
  if (at % 10 > 0) return;
  const other = await stack.createSandbox({
    containerId: `c${at}`,
    endpoints: [{ network: away.name }],
    ports,
  });
  await stack.removeSandbox(other.sandboxId);
}

let failed = false;
try {
  for (let at = 0; at < 20; at++) await cycle(at);
  await wait(1000);
  const before = counts();
  const memory = process.memoryUsage.rss();
  const start = performance.now();
  for (let at = 0; at < cycles; at++) await cycle(at);
  const each = (performance.now() - start) / cycles;
  await wait(1000);
  const after = counts();
  console.table({ before, after });
  const grown = (process.memoryUsage.rss() - memory) / 2 ** 20;
  console.log(`${cycles} cycles, ${each.toFixed(1)} ms each; the process grew by ${grown.toFixed(1)} MiB`);
  assert.deepEqual(after, before);
  assert.deepEqual(await stack.verify(), []);
} catch (thrown) {
  failed = true;
  console.error(thrown);
} finally {
  for (const { sandboxId } of stack.sandboxes()) await stack.removeSandbox(sandboxId);
  await stack.close({ removeKernelObjects: true });
  rmSync(dir, { recursive: true });
}
process.exitCode = failed ? 1 : 0;
