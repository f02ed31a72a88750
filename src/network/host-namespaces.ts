import { statSync, writeFileSync } from 'node:fs';
import { createNetns, deleteNetns, mount, RouteSocket } from '../sys/index.ts';
import type { DefaultRoute, NamespaceKernel } from './kernel.ts';
import type { InterfaceCounters } from './types.ts';

const OWN_NAMESPACE = '/proc/self/ns/net';

/** Namespaces of this host's kernel. */
export class HostNamespaces implements NamespaceKernel {
  create(pin: string): void {
    createNetns(pin);
  }

  pinHost(pin: string): void {
    writeFileSync(pin, '', { flag: 'a', mode: 0o444 });
    mount({ source: OWN_NAMESPACE, target: pin, flags: ['bind'] });
  }

  drop(pin: string): void {
    deleteNetns(pin);
  }

  isPinned(pin: string): boolean {
    try {
      // Every namespace file lies on the kernel's one nsfs.
      return statSync(pin).dev === statSync(OWN_NAMESPACE).dev;
    } catch {
      return false;
    }
  }

  unplug(pin: string, interfaceName: string): void {
    using inside = RouteSocket.open(pin);
    inside.deleteLink(interfaceName);
  }

  interfaces(pin: string): Set<string> {
    using inside = RouteSocket.open(pin);
    return new Set(inside.links().map(({ name }) => name));
  }

  setDefaultRoute(pin: string, family: 4 | 6, route: DefaultRoute | undefined): void {
    using inside = RouteSocket.open(pin);
    if (route) inside.replaceDefaultRoute({ family, ...route });
    else inside.deleteDefaultRoute(family);
  }

  setMac(pin: string, interfaceName: string, mac: string): void {
    using inside = RouteSocket.open(pin);
    inside.setMac(interfaceName, mac);
  }

  counters(pin: string, interfaceNames: readonly string[]): Record<string, InterfaceCounters> {
    using inside = RouteSocket.open(pin);
    const found: Record<string, InterfaceCounters> = {};
    for (const name of interfaceNames) {
      const stats = inside.linkStats(name);
      if (stats) found[name] = stats;
    }
    return found;
  }
}
