/**
 * Annotations by which runtimes take orders: crun (`run.oci.`: hooks' files, other handlers, ready-made filters; `krun.`,
 * `module.wasm.`), runc (`org.criu.config`, `org.systemd.property.`). A caller of the API must not give any.
 */
const ORDERS = [
  'run.oci.',
  'krun.',
  'module.wasm.',
  'org.criu.config',
  'org.systemd.property.',
  'org.opencontainers.runc.',
];

function isOrder(key: string): boolean {
  return ORDERS.some((prefix) => key.startsWith(prefix));
}

/** The annotations that reach the runtime, and a warning for each that does not. */
export function annotationsOf(asked: Record<string, string> = {}) {
  const keys = Object.keys(asked).filter(isOrder);
  return {
    annotations: Object.fromEntries(Object.entries(asked).filter(([key]) => !isOrder(key))),
    warnings: keys.map(
      (key) => `The annotation ${key} would give orders to the runtime itself. Not passed to the runtime.`,
    ),
  };
}
