export { openPorts, type PortsOptions } from './ports.ts';
export { portTargets } from './targets.ts';
