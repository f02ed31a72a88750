import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A process of the reference registry with an empty store in memory. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:1234`. */
  host: string;
}

/** Whether the reference registry is installed. */
export function hasDockerRegistry(): boolean {
  try {
    execFileSync('docker-registry', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Starts the reference registry; it says by itself on which port it listens. */
export async function openDockerRegistry(): Promise<DockerRegistry> {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-docker-registry-'));
  const settings = {
    version: 0.1,
    log: { level: 'info', formatter: 'json' },
    storage: { inmemory: {}, delete: { enabled: true } },
    http: { addr: '127.0.0.1:0' },
  };
  writeFileSync(join(dir, 'config.yml'), JSON.stringify(settings));
  const child = spawn('docker-registry', ['serve', join(dir, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: '/usr/bin:/bin', OTEL_TRACES_EXPORTER: 'none' },
  });
  const gone = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const close = async () => {
    child.kill('SIGKILL');
    await gone;
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    return { host: await listening(child), [Symbol.asyncDispose]: close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.on('error', reject);
    child.on('close', () => reject(new Error(`the registry ended: ${said}`)));
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + String(chunk)).slice(-8192);
      const host = /listening on (127\.0\.0\.1:\d+)/.exec(said)?.[1];
      if (host !== undefined) resolve(host);
    });
  });
}
