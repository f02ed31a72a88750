import type { EngineClient, Hijacked } from './engine-client.ts';

/** POST /containers/{id}/exec */
export function createExec(client: EngineClient, container: string, json: unknown): Promise<{ Id: string }> {
  return client.json('POST', `/containers/${encodeURIComponent(container)}/exec`, { json });
}

/** POST /exec/{id}/start, detached. */
export function startExecDetached(client: EngineClient, id: string, json: unknown): Promise<number> {
  return client.send('POST', `/exec/${id}/start`, { json });
}

/** POST /exec/{id}/start, hijacked. */
export function startExec(client: EngineClient, id: string, json: unknown): Promise<Hijacked> {
  return client.hijack(`/exec/${id}/start`, { json });
}

/** GET /exec/{id}/json */
export function inspectExec(
  client: EngineClient,
  id: string,
): Promise<{ Running: boolean; ExitCode: number | null; Pid: number }> {
  return client.json('GET', `/exec/${id}/json`);
}

/** POST /exec/{id}/resize */
export function resizeExec(
  client: EngineClient,
  id: string,
  size: { rows: number; columns: number },
): Promise<number> {
  return client.send('POST', `/exec/${id}/resize`, { query: { h: size.rows, w: size.columns } });
}
