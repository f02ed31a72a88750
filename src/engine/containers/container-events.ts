import type { EventBus } from '../events/types.ts';
import type { ContainerRecord } from './record.ts';

/** Publishes what happened to a container: its labels, image and name go with every event, then what is particular to it. */
export function publishContainerEvent(
  events: EventBus,
  record: ContainerRecord,
  action: string,
  extra: Record<string, string> = {},
): void {
  events.publish({
    type: 'container',
    action,
    id: record.id,
    attributes: {
      ...record.config.Labels,
      ...extra,
      image: record.config.Image ?? record.imageRef,
      name: record.name,
    },
  });
}

/** `volume mount` for each volume of a run, before its start. */
export function publishVolumeMounts(events: EventBus, record: ContainerRecord): void {
  for (const mount of record.mounts) {
    if (mount.Type !== 'volume' || !mount.Name) continue;
    events.publish({
      type: 'volume',
      action: 'mount',
      id: mount.Name,
      attributes: {
        container: record.id,
        destination: mount.Destination ?? '',
        driver: mount.Driver ?? 'local',
        propagation: mount.Propagation ?? '',
        'read/write': String(mount.RW !== false),
      },
    });
  }
}

/** `volume unmount` for each volume of a run, after its end. */
export function publishVolumeUnmounts(events: EventBus, record: ContainerRecord): void {
  for (const mount of record.mounts) {
    if (mount.Type !== 'volume' || !mount.Name) continue;
    const attributes = { container: record.id, driver: mount.Driver ?? 'local' };
    events.publish({ type: 'volume', action: 'unmount', id: mount.Name, attributes });
  }
}

/** `network connect` or `disconnect` for one network of a container. */
export function publishNetworkEvent(
  events: EventBus,
  action: 'connect' | 'disconnect',
  network: { id: string; name: string; driver: string },
  containerId: string,
): void {
  const attributes = { container: containerId, name: network.name, type: network.driver };
  events.publish({ type: 'network', action, id: network.id, attributes });
}
