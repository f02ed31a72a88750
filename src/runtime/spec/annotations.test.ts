import assert from 'node:assert/strict';
import { it } from 'node:test';
import { annotationsOf } from './annotations.ts';

it('what runtimes take for orders stays behind, with a word of it', () => {
  const orders = [
    'run.oci.hooks.stderr',
    'run.oci.handler',
    'krun.cpus',
    'module.wasm.image/variant',
    'org.criu.config',
    'org.systemd.property.ExecStartPre',
    'org.opencontainers.runc.x',
  ];
  const harmless = { mine: '1', 'org.opencontainers.image.title': 'x', 'run.ocix': 'y', 'my.run.oci.x': 'z' };
  const asked = { ...Object.fromEntries(orders.map((key) => [key, '/etc/x'])), ...harmless };
  const { annotations, warnings } = annotationsOf(asked);
  assert.deepEqual(annotations, harmless);
  assert.equal(warnings.length, orders.length);
  assert.equal(
    warnings[0],
    'The annotation run.oci.hooks.stderr would give orders to the runtime itself. Not passed to the runtime.',
  );
});

it('no annotations make none', () => {
  assert.deepEqual(annotationsOf(undefined), { annotations: {}, warnings: [] });
  assert.deepEqual(annotationsOf({}), { annotations: {}, warnings: [] });
});
