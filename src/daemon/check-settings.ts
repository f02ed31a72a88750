import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { silentLog, WharfError } from '../base/index.ts';
import { checkLogConfig, rotationPolicy } from '../logs/index.ts';
import { networkConfig } from '../network/index.ts';
import { parseRegistrySettings } from '../registryd/settings.ts';
import { CurrentSettings } from './current-settings.ts';
import { listenTargets } from './host-listen.ts';
import type { Settings } from './settings.ts';

/**
 * Checks what each part of the daemon would refuse when it starts, so that `--validate` says all that a start would.
 * Nothing is changed. Errors: `invalid`.
 */
export function checkSettings(settings: Settings): void {
  checkValues(settings);
  // systemd hands its sockets over at the start only.
  listenTargets(settings, 1, silentLog);
  new CurrentSettings(settings, silentLog);
  for (const key of ['htpasswd', 'access', 'tlscert', 'tlskey']) {
    const file = settings.registry[key];
    if (file && !existsSync(file))
      throw new WharfError('invalid', `registry: ${key}: there is no file "${file}"`);
  }
}

/** Checks the values that no part looks at before it needs them. Errors: `invalid`. */
export function checkValues(settings: Settings): void {
  for (const [option, path] of [
    ['data-root', settings.dataRoot],
    ['exec-root', settings.execRoot],
    ['pidfile', settings.pidfile],
  ]) {
    if (!isAbsolute(path as string))
      throw new WharfError('invalid', `${option} takes an absolute path: "${path}"`);
  }
  checkNetwork(settings);
  for (const { Name, Soft, Hard } of settings.defaultUlimits) {
    if (Hard >= 0 && (Soft > Hard || Soft < 0)) {
      throw new WharfError(
        'invalid',
        `invalid ulimit ${Name}: the soft limit ${Soft} is above the hard limit ${Hard}`,
      );
    }
  }
  checkLogConfig(settings.logDriver, settings.logOpts);
  rotationPolicy(settings.logDriver, settings.logOpts);
  parseRegistrySettings(settings.registry);
}

function checkNetwork({ network }: Settings): void {
  const { hostBinding } = networkConfig(network.config);
  for (const address of network.dns) {
    if (!isIP(address)) throw new WharfError('invalid', `dns takes IP addresses: "${address}"`);
  }
  for (const [option, address] of [
    ['ip', hostBinding],
    ['host-gateway-ip', network.hostGatewayIp],
  ]) {
    if (address !== undefined && !isIP(address))
      throw new WharfError('invalid', `${option} takes an IP address: "${address}"`);
  }
}
