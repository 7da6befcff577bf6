import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statsEvent } from '../src/api/event-schemas.ts';
import { runListView, type RunListView } from '../src/api/run-schemas.ts';
import { follow, type Following, runToEnd, shell, submit } from './run-client.ts';
import { type ProblemBody, type Service, startService } from './start-service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.dispose());

/** What the events said of a run, in order. */
function toldOf({ events }: Following, id: string): readonly RunListView[] {
  return events
    .filter(({ event }) => event === 'run')
    .map(({ data }) => JSON.parse(data) as RunListView)
    .filter((run) => run.id === id);
}

/** The states that a run went through: it is told of anew for its process and its last line, too. */
const statesOf = (told: readonly RunListView[]): readonly string[] =>
  told.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]);

const isEndOf =
  (id: string) =>
  ({ event, data }: { readonly event?: string | undefined; readonly data: string }): boolean =>
    event === 'run' && data.includes(`"id":"${id}"`) && !data.includes('"endedAt":null');

describe('GET /v1/events', { concurrent: true }, () => {
  it('tells each change of a run, its process and its last line, and then its end', async () => {
    const events = await follow(service, '/v1/events');
    expect([events.status, events.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    const { id } = await submit(service, shell('echo working on it; sleep 0.8; echo finished'));
    await events.next('its end', isEndOf(id));
    const told = toldOf(events, id);
    for (const run of told) expect(runListView.strict().safeParse(run).error).toBeUndefined();
    expect(statesOf(told)).toEqual(['queued', 'running', 'succeeded']);
    const withLine = told.find(({ lastLine }) => lastLine !== null);
    expect(withLine).toMatchObject({
      state: 'running',
      pid: expect.any(Number),
      lastLine: { text: 'working on it' },
    });
    expect(told.at(-1)).toMatchObject({ state: 'succeeded', lastLine: null });
    // Not more than twice a second beside the changes.
    expect(told.length).toBeLessThan(3 + 2 * 8);
    events.close();
  });

  it('tells the numbers of the service, at once and then again', async () => {
    const events = await follow(service, '/v1/events?types=stats');
    await events.next('the first numbers', ({ event }) => event === 'stats');
    expect(events.events.every(({ event }) => event === 'stats')).toBe(true);
    const stats: unknown = JSON.parse(events.events[0]?.data ?? '');
    expect(statsEvent.strict().safeParse(stats).error).toBeUndefined();
    events.close();
  });

  it('gives those who come back what they missed, and only what they asked for', async () => {
    const before = await follow(service, '/v1/events?types=run');
    const first = await runToEnd(service, shell('true'));
    const { id: seen = '' } = await before.next('its end', isEndOf(first.id));
    before.close();
    const second = await runToEnd(service, shell('true'));
    const after = await follow(service, '/v1/events?types=run', { 'last-event-id': seen });
    await after.next('the end of the second', isEndOf(second.id));
    expect(toldOf(after, first.id)).toEqual([]);
    const told = toldOf(after, second.id);
    expect(statesOf(told)).toEqual(['queued', 'running', 'succeeded']);
    expect(new Set(told.map((run) => JSON.stringify(run))).size).toBe(told.length);
    const numbers = after.events.map(({ id }) => Number(id));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(numbers.every((number) => number > Number(seen))).toBe(true);
    after.close();
  });

  it.each(['1', '99999999999999'])('tells who has missed too much to look anew: %s', async (seen) => {
    const events = await follow(service, '/v1/events', { 'last-event-id': seen });
    expect(await events.next('a reset', () => true)).toMatchObject({ event: 'reset', data: '{}' });
    events.close();
  });

  it.each(['types=', 'types=run,none', 'run=x'])('refuses %s', async (query) => {
    const { status, body } = await service.request<ProblemBody>('GET', `/v1/events?${query}`);
    expect([status, body.code]).toEqual([400, 'QUERY_INVALID']);
  });
});
