export { forgetConnections } from './conntrack.ts';
export { openPorts, type PortsOptions } from './ports.ts';
export { portTargets } from './targets.ts';
