import type { SystemView } from '../../api/system-schemas.ts';
import type { Client } from '../client.ts';
import { CommandError } from '../command-error.ts';
import { formatDuration } from '../quantities.ts';
import type { Finding } from './finding.ts';

interface Health {
  readonly status: string;
  readonly version: string;
  readonly problems?: readonly string[];
}

const TIMEOUT_MS = 3_000;

/** Whether a service answers, and how it is. */
export async function checkService(client: Client): Promise<Finding> {
  const name = 'service';
  try {
    const health = await client.get<Health>('/health', { timeoutMs: TIMEOUT_MS });
    const { status, version, problems = [] } = health;
    const detail = [`${status}, version ${version}, at ${client.url}`, await readSystem(client), ...problems];
    return { name, ok: true, detail: detail.filter((part) => part !== '').join('. '), remedy: null };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // The line names the remedy.
    return { name, ok: false, detail: error.message, remedy: null };
  }
}

/** What only some may know; why not, for the others. */
async function readSystem(client: Client): Promise<string> {
  try {
    const { uptimeMs, memory, store } = await client.get<SystemView>('/v1/system', { timeoutMs: TIMEOUT_MS });
    const found = store.integrity === null || store.integrity.ok ? [] : store.integrity.problems;
    const up = `Up for ${formatDuration(uptimeMs)} with ${Math.round(memory.serviceBytes / 1_048_576)} MiB`;
    return [up, ...found].join('. ');
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
}
