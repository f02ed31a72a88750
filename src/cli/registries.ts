import { silentLog } from '../base/index.ts';
import type { Registries } from '../registry/client/types.ts';
import type { Context } from './command.ts';
import { VERSION } from './version.ts';

/** Tries of a request before it fails. */
const ATTEMPTS = 4;
/** Milliseconds without a byte after which a connection counts as stalled. */
const STALL_MS = 30_000;

/** Registries as this user reaches them, without an engine; `insecure` are hosts whose certificates are not checked. */
export async function openRegistriesFor(
  context: Context,
  insecure: readonly string[] = [],
): Promise<Registries> {
  const { openRegistries } = await import('../registry/client/index.ts');
  const { env } = context;
  const proxy = {
    http: env['HTTP_PROXY'] || env['http_proxy'],
    https: env['HTTPS_PROXY'] || env['https_proxy'],
    no: env['NO_PROXY'] || env['no_proxy'],
  };
  return openRegistries(
    {
      insecure,
      mirrors: new Map(),
      certsDirs: ['/etc/wharf/certs.d', '/etc/docker/certs.d'],
      proxy: {
        ...(proxy.http ? { http: proxy.http } : {}),
        ...(proxy.https ? { https: proxy.https } : {}),
        ...(proxy.no ? { no: proxy.no } : {}),
      },
      userAgent: `wharf/${VERSION}`,
      attempts: ATTEMPTS,
      stallMs: STALL_MS,
    },
    silentLog,
  );
}
