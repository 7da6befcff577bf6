import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createOutputLog, type OutputLogWriter } from './output-log-writer.ts';
import { createOutputLogs, type OutputLogsOptions } from './output-logs.ts';
import type { OutputEvent } from './output-entry.ts';
import type { OutputLog } from './output-log.ts';

function setup(options: Partial<OutputLogsOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-logs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const clock = createManualClock();
  const logs = createOutputLogs({ folder, clock, ...options });
  return { folder, clock, logs };
}

const print = (log: OutputLogWriter, ...lines: readonly string[]): void => {
  for (const line of lines) void log.write('stdout', Buffer.from(`${line}\n`));
};

async function eventsOf(log: OutputLog, from = 0): Promise<readonly OutputEvent[]> {
  const events: OutputEvent[] = [];
  for await (const event of log.follow({ from })) events.push(event);
  return events;
}

const textsOf = (events: readonly OutputEvent[]): readonly string[] =>
  events.map((event) => (event.type === 'entry' ? event.text : event.type));

describe.each(['in memory', 'in a file'])('an output log %s', (where) => {
  function begin() {
    const { logs, clock, folder } = setup();
    const log = where === 'in memory' ? createOutputLog({ id: 'run', clock }) : logs.create('run');
    return { log, clock, folder };
  }

  it('replays, goes on live, and always completes', async () => {
    const { log } = begin();
    print(log, 'one', 'two');
    const follower = log.follow();
    expect(await follower.next()).toMatchObject({ value: { type: 'entry', text: 'one', offset: 0 } });
    expect(await follower.next()).toMatchObject({ value: { text: 'two' } });
    const third = follower.next();
    print(log, 'three');
    expect(await third).toMatchObject({ value: { text: 'three' } });
    const last = follower.next();
    await log.end();
    expect(await last).toMatchObject({
      value: { type: 'complete', fault: undefined, nextOffset: log.endOffset },
    });
    expect(await follower.next()).toMatchObject({ done: true });
    expect(log.isComplete).toBe(true);
  });

  it('gives a late subscriber everything, and one of a log without output its end', async () => {
    const { log } = begin();
    const early = eventsOf(log);
    print(log, ...Array.from({ length: 3_000 }, (_, index) => `line ${index}`));
    await log.end();
    const late = await eventsOf(log);
    expect(late).toHaveLength(3_001);
    expect(await early).toEqual(late);
    const empty = createOutputLog({ id: 'empty' });
    await empty.end();
    expect(textsOf(await eventsOf(empty))).toEqual(['complete']);
  });

  it('is resumed behind any event without loss or repetition', async () => {
    const { log } = begin();
    print(log, ...Array.from({ length: 50 }, (_, index) => `line ${index} ${'ü'.repeat(index)}`));
    await log.end();
    const all = await eventsOf(log);
    for (const [index, { nextOffset }] of all.slice(0, -1).entries()) {
      expect(await eventsOf(log, nextOffset)).toEqual(all.slice(index + 1));
    }
    await expect(eventsOf(log, 3)).rejects.toThrow('Expected `from` (3) to be the `nextOffset` of an event');
    await expect(eventsOf(log, log.endOffset + 1)).rejects.toThrow(RangeError);
  });

  it('tells the latest entries, and those since an instant', async () => {
    const { log, clock } = begin();
    print(log, ...Array.from({ length: 600 }, (_, index) => `early ${index}`));
    const noon = clock.wallTime();
    await clock.advance(1_000);
    print(log, 'late 0', 'late 1');
    await log.end();
    const last = await log.tail();
    expect([last.length, last[0]?.text, last.at(-1)?.text]).toEqual([500, 'early 102', 'late 1']);
    expect((await log.tail(10_000)).length).toBe(602);
    expect((await log.tail(3)).map(({ text }) => text)).toEqual(['early 599', 'late 0', 'late 1']);
    expect((await log.tail(500, { since: noon })).map(({ text }) => text)).toEqual(['late 0', 'late 1']);
    expect((await log.tail(1, { since: noon })).map(({ text }) => text)).toEqual(['late 1']);
    expect(await log.tail(500, { since: clock.wallTime() })).toEqual([]);
    await expect(log.tail(0)).rejects.toThrow(
      'Expected `count` to be an integer from 1 to 10000, got `0` (number).',
    );
    await expect(log.tail(10_001)).rejects.toThrow(RangeError);
  });

  it('reaches far back for entries of long lines', async () => {
    const { log } = begin();
    print(log, ...Array.from({ length: 100 }, (_, index) => `${index} ${'x'.repeat(5_000)}`));
    await log.end();
    expect((await log.tail(90)).map(({ text }) => text.split(' ')[0])).toEqual(
      Array.from({ length: 90 }, (_, index) => String(index + 10)),
    );
  });

  it('joins a line that came in pieces, and keeps the streams apart', async () => {
    const { log } = begin();
    for (const [stream, text] of [
      ['stdout', 'a'],
      ['stderr', 'b\n'],
      ['stdout', 'c\nd'],
    ] as const) {
      void log.write(stream, Buffer.from(text));
    }
    await log.end();
    const entries = await log.tail();
    expect(entries.map(({ stream, text, endsLine }) => [stream, text, endsLine])).toEqual([
      ['stderr', 'b', true],
      ['stdout', 'ac', true],
      ['stdout', 'd', false],
    ]);
  });

  it('never goes back in time, nor takes anything after its end', async () => {
    const { log, clock } = begin();
    print(log, 'one');
    clock.stepWallTime(-60_000);
    print(log, 'two');
    await log.end();
    print(log, 'three');
    await log.end();
    const [one, two, ...more] = await log.tail();
    expect([two?.at, more]).toEqual([one?.at, []]);
  });

  it('ends a subscription that is aborted with the reason, and lets the others be', async () => {
    const { log } = begin();
    const controller = new AbortController();
    const aborted = log.follow({ signal: controller.signal }).next();
    const other = eventsOf(log);
    controller.abort(new Error('gone home'));
    await expect(aborted).rejects.toThrow('gone home');
    print(log, 'one');
    await log.end();
    expect(textsOf(await other)).toEqual(['one', 'complete']);
  });
});

describe('an output log in memory', () => {
  it('keeps the latest entries and marks where others were', async () => {
    const log = createOutputLog({ id: 'run', maxEntries: 10 });
    print(log, 'early');
    const slow = log.follow();
    await slow.next();
    void log.write(
      'stdout',
      Buffer.from(Array.from({ length: 25 }, (_, index) => `line ${index}\n`).join('')),
    );
    const marker = (await slow.next()).value as OutputEvent;
    expect(marker).toMatchObject({ type: 'dropped', bytes: 15 * 43 + 10 * 7 + 5 * 8 });
    expect(await slow.next()).toMatchObject({ value: { text: 'line 15', offset: marker.nextOffset } });
    await log.end();
    expect((await log.tail()).map(({ text }) => text)).toEqual(
      Array.from({ length: 10 }, (_, index) => `line ${index + 15}`),
    );
    expect(textsOf(await eventsOf(log)).slice(0, 2)).toEqual(['dropped', 'line 15']);
  });

  it('is bounded in bytes too', async () => {
    const log = createOutputLog({ id: 'run', maxBytes: 100_000 });
    for (let index = 0; index < 100; index += 1) print(log, 'x'.repeat(10_000));
    await log.end();
    expect((await log.tail()).length).toBe(9);
  });
});

describe('output logs in a folder', () => {
  it('are files that anything can read', async () => {
    const { logs, folder, clock } = setup();
    const log = logs.create('run_1');
    print(log, 'hello', '2 errors', 'an error');
    await log.end();
    const time = new Date(clock.wallTime()).toISOString();
    expect(readFileSync(join(folder, 'run_1.log'), 'utf8')).toBe(
      `[${time}] [INFO] [stdout] hello\n[${time}] [INFO] [stdout] 2 errors\n[${time}] [ERROR] [stdout] an error\n`,
    );
  });

  it('are opened again by the next host, up to the last whole entry', async () => {
    const { logs, folder, clock } = setup();
    const log = logs.create('run_1');
    print(log, 'one', 'two');
    expect(await logs.open('run_1')).toBe(log);
    await log.end();
    appendFileSync(join(folder, 'run_1.log'), '[2026-03-08T07:00');
    const next = createOutputLogs({ folder, clock });
    const reopened = await next.open('run_1');
    expect(textsOf(await eventsOf(reopened))).toEqual(['one', 'two', 'complete']);
    expect([reopened.isComplete, reopened.endOffset]).toEqual([true, log.endOffset]);
    await expect(next.open('run_2')).rejects.toMatchObject({ code: 'OUTPUT_LOG_NOT_FOUND' });
  });

  it('are not written over', async () => {
    const { logs, folder } = setup();
    writeFileSync(join(folder, 'run_1.log'), 'precious\n');
    const log = logs.create('run_1');
    expect(() => logs.create('run_1')).toThrow('it is being written');
    print(log, 'one');
    await log.end();
    expect(readFileSync(join(folder, 'run_1.log'), 'utf8')).toBe('precious\n');
    const [end] = await eventsOf(log);
    expect(end).toMatchObject({ type: 'complete', fault: { code: 'EEXIST' } });
  });

  it('rotate: the oldest part goes, and readers are told', async () => {
    const { logs, folder, clock } = setup({ maxLogBytes: 80_000 });
    const log = logs.create('run_1');
    for (let index = 0; index < 200; index += 1) print(log, `${index} ${'x'.repeat(950)}`);
    await log.end();
    const [first, ...rest] = await eventsOf(log);
    expect(first).toMatchObject({ type: 'dropped', bytes: first?.nextOffset });
    expect(rest.filter(({ type }) => type === 'dropped')).toEqual([]);
    const [summary] = await logs.list();
    expect(summary?.bytes).toBe(log.endOffset - (first?.nextOffset ?? 0));
    expect(summary?.bytes).toBeLessThanOrEqual(80_000);
    expect(summary?.bytes).toBeGreaterThan(60_000);
    const reopened = await createOutputLogs({ folder, clock }).open('run_1');
    expect(await eventsOf(reopened)).toEqual([first, ...rest]);
    await expect(log.read({ from: 10 }).next()).rejects.toMatchObject({ code: 'OUTPUT_DROPPED' });
    const [oldest] = await log.tail(10_000);
    expect(oldest?.offset).toBe(first?.nextOffset);
  });

  it('let a reader end the part that it is reading when that part goes', async () => {
    const { logs, folder } = setup({ maxLogBytes: 8_000_000 });
    const log = logs.create('run_1');
    const fill = async (lines: number): Promise<void> => {
      for (let index = 0; index < lines; index += 1) {
        await log.write('stdout', Buffer.from(`${'x'.repeat(9_999)}\n`));
        if (index % 20 === 0) await log.tail(1);
      }
    };
    await fill(150);
    const slow = log.follow();
    await slow.next();
    await fill(2_000);
    await log.end();
    expect(readdirSync(folder)).not.toContain('run_1.log');
    const rest: OutputEvent[] = [];
    for await (const event of slow) rest.push(event);
    const dropped = rest.filter(({ type }) => type === 'dropped');
    expect(dropped).toHaveLength(1);
    expect(rest[rest.findIndex(({ type }) => type === 'dropped') - 1]?.nextOffset).toBeGreaterThan(1_000_000);
    expect(rest.at(-1)).toMatchObject({ type: 'complete', nextOffset: log.endOffset });
  });

  it('are swept by age, number and size, but never while they are written', async () => {
    const fill = async (options: Partial<OutputLogsOptions>) => {
      const { logs, clock } = setup(options);
      clock.stepWallTime(Date.now() - clock.wallTime());
      for (const id of ['a', 'b', 'c', 'd']) {
        const log = logs.create(id);
        print(log, 'x'.repeat(1_000));
        await log.end();
      }
      const live = logs.create('live');
      print(live, 'x'.repeat(1_000));
      const next = live.follow();
      await next.next();
      await next.return?.();
      onTestFinished(() => live.end());
      return { logs, clock, live };
    };
    expect(await (await fill({ maxAgeMs: 60_000 })).logs.sweep()).toEqual([]);
    expect(await (await fill({ maxLogs: 3 })).logs.sweep()).toHaveLength(1);
    expect(await (await fill({ maxTotalBytes: 3_500 })).logs.sweep()).toHaveLength(2);
    const { logs, clock, live } = await fill({ maxAgeMs: 60_000 });
    clock.stepWallTime(120_000);
    expect((await logs.sweep()).toSorted()).toEqual(['a', 'b', 'c', 'd']);
    expect((await logs.list()).map(({ id, isLive }) => [id, isLive])).toEqual([['live', true]]);
    await expect(logs.remove('live')).rejects.toMatchObject({ code: 'OUTPUT_LOG_LIVE' });
    await live.end();
    expect([await logs.remove('live'), await logs.remove('live'), await logs.list()]).toEqual([
      true,
      false,
      [],
    ]);
  });

  it.each(['', '../run', 'a/b', '.hidden', 'run.000000000000001', 'x'.repeat(201)])(
    'refuse the id %j',
    async (id) => {
      const { logs } = setup();
      expect(() => logs.create(id)).toThrow(TypeError);
      await expect(logs.open(id)).rejects.toThrow(TypeError);
    },
  );

  it('tell of a folder that can not be written, and go on taking output', async () => {
    const { folder, clock } = setup();
    writeFileSync(join(folder, 'file'), '');
    const log = createOutputLogs({ folder: join(folder, 'file', 'logs'), clock }).create('run');
    for (let index = 0; index < 100; index += 1) await log.write('stdout', Buffer.alloc(100_000, 'line\n'));
    await log.end();
    expect(await eventsOf(log)).toMatchObject([{ type: 'complete', fault: { code: 'ENOTDIR' } }]);
  });

  it('ask a writer to wait when the disk is slower, and keep every byte', async () => {
    const { logs } = setup();
    const log = logs.create('run');
    const chunk = Buffer.alloc(1_000_000, `${'x'.repeat(99)}\n`);
    let waits = 0;
    for (let index = 0; index < 20; index += 1) {
      const wait = log.write('stdout', chunk);
      if (wait !== undefined) waits += 1;
      await wait;
    }
    await log.end();
    let bytes = 0;
    for await (const part of log.download('stdout')) bytes += part.length;
    expect(bytes).toBe(20_000_000);
    expect(waits).toBeGreaterThan(0);
  });
});
