import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { LogPageView, RunRequest, RunView } from '../src/api/run-schemas.ts';
import { until } from './processes.ts';
import type { Answered, Service } from './start-service.ts';

/** Writes a script into the data folder of a service, which is removed with it. */
export function script(service: Pick<Service, 'dataDir'>, name: string, body: string): string {
  const folder = join(service.dataDir, 'scripts');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, body, { mode: 0o755 });
  return path;
}

/** A request for a line of shell, as a program: `sh` is started, not looked at. */
export function shell(line: string, more: Omit<RunRequest, 'command'> = {}): RunRequest {
  return { command: { file: 'sh', args: ['-c', line] }, ...more };
}

/** Submits a run. @throws when it is refused */
export async function submit(
  service: Service,
  request: RunRequest,
  headers: Readonly<Record<string, string>> = {},
): Promise<RunView> {
  const { status, body } = await service.request<RunView>('POST', '/v1/runs', { body: request, headers });
  if (status !== 202 && status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
}

export function show(service: Service, id: string): Promise<Answered<RunView>> {
  return service.request<RunView>('GET', `/v1/runs/${id}`);
}

/** Waits for the end of a run. @throws when it has none within 30 s */
export async function ended(service: Service, id: string): Promise<RunView> {
  const { status, body } = await service.request<RunView>('GET', `/v1/runs/${id}/wait?timeoutMs=30000`);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
}

/** Submits a run and waits for its end. */
export async function runToEnd(service: Service, request: RunRequest): Promise<RunView> {
  return ended(service, (await submit(service, request)).id);
}

/** Waits until a run has printed something. */
export async function untilPrints(service: Service, id: string, text: string): Promise<void> {
  await until(`run ${id} prints ${text}`, async () => {
    const { body } = await service.request<LogPageView>('GET', `/v1/runs/${id}/logs`);
    return body.entries.some((entry) => entry.text.includes(text));
  });
}

/** A stream of events that is being read. */
export interface Following {
  readonly status: number;
  readonly headers: Headers;
  /** All so far. */
  readonly events: readonly EventSourceMessage[];
  /** Resolves with the first event that matches, which may have come already. @throws after 10 s */
  next(what: string, matches: (event: EventSourceMessage) => boolean): Promise<EventSourceMessage>;
  /** Resolves when the service has ended it. */
  readonly ended: Promise<void>;
  /** Leaves. */
  close(): void;
}

/** Follows a stream of server-sent events. */
export async function follow(
  service: Pick<Service, 'url'>,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Following> {
  const left = new AbortController();
  const response = await fetch(new URL(path, service.url), { headers, signal: left.signal });
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void events.push(event) });
  const decoder = new TextDecoder();
  const read = async (): Promise<void> => {
    try {
      for await (const chunk of response.body ?? [])
        parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
    } catch (error) {
      if (!left.signal.aborted) throw error;
    }
  };
  const over = read();
  over.catch(() => undefined);
  return {
    status: response.status,
    headers: response.headers,
    events,
    next: (what, matches) => until(what, () => events.find(matches)),
    ended: over,
    close: () => left.abort(),
  };
}

/** The texts of the entries of a followed log. */
export function textsOf({ events }: Pick<Following, 'events'>): readonly string[] {
  return events
    .filter(({ event }) => event === 'entry')
    .map(({ data }) => (JSON.parse(data) as { readonly text: string }).text);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
