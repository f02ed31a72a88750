import { createServer } from 'node:http';
import { join } from 'node:path';
import { silentLog } from '../../../base/index.ts';
import { Leases, openContentStore } from '../../../content/index.ts';
import { openDatabase } from '../../../meta/index.ts';
import { createRegistryServer, openGatekeeper, openLocalStorage } from '../index.ts';

// A registry in a process of its own, for tests that kill it. Its port is its only output.
const dir = process.argv[2] ?? '';
const content = openContentStore(join(dir, 'content'));
await content.recover();
const storage = openLocalStorage({
  content,
  database: openDatabase(join(dir, 'db', 'wharf.db')),
  leases: new Leases(),
  log: silentLog,
});
const registry = createRegistryServer({ storage, gatekeeper: openGatekeeper(), audit() {}, log: silentLog });
const server = createServer(registry.settings);
registry.attach(server);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(String(typeof address === 'object' ? address?.port : ''));
});
