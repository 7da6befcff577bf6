import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { seededRandom } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { createScheduler, type Scheduler, type SchedulerEvents } from '@pawl/tasks';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSqliteScheduleStore, createSqliteStore, type SqliteStore } from '../src/index.ts';
import { startFixture } from './host-process.ts';
import { tempFolder } from './setup-store.ts';

const EVERY_MS = 1_000;
/** Rounds of killing one of two schedulers. */
const ROUNDS = 6;

/** The next event of that name. */
function next<Name extends keyof SchedulerEvents>(
  scheduler: Scheduler,
  name: Name,
): Promise<SchedulerEvents[Name]> {
  return new Promise((resolve) => {
    const off = scheduler.on(name, (event) => {
      off();
      resolve(event);
    });
  });
}

/** Schedulers of one process, which share a file. */
function setup() {
  const file = join(tempFolder(), 'pawl.db');
  const clock = createManualClock({ wallTime: 1_767_225_600_000 });
  const fired: string[] = [];
  return {
    file,
    clock,
    fired,
    openStore: () => {
      const store = createSqliteStore({ file, clock });
      onTestFinished(() => store.close());
      return store;
    },
    schedulerOn: (store: SqliteStore): Scheduler => {
      const scheduler = createScheduler({
        store: store.schedules,
        clock,
        fire: ({ key }) => void fired.push(key),
      });
      onTestFinished(async () => void (await scheduler.stop()));
      return scheduler;
    },
  };
}

describe('a scheduler that is killed between the claim of a slot and its note', () => {
  it('leaves the slot claimed: the next one skips it, and fires the one after', async () => {
    const file = join(tempFolder(), 'schedules.db');
    const first = startFixture('scheduler-host.mjs', [file, String(EVERY_MS), 'claim']);
    const { claim, isClaimed } = await first.told('claim');
    expect(isClaimed).toBe(true);
    first.child.kill('SIGKILL');
    await first.ended;
    expect(first.facts.filter((fact) => 'fired' in fact)).toEqual([]);

    const nominalAt = Number(claim);
    const store = createSqliteScheduleStore({ file });
    onTestFinished(() => store.close());
    const [record] = await store.list();
    // It was not noted as handled: without the claim it would fire again.
    expect(record?.state.handledUntil).toBeLessThan(nominalAt);
    const fired: number[] = [];
    const clock = createManualClock({ wallTime: nominalAt });
    const second = createScheduler({
      store,
      clock,
      fire: (run) => void fired.push(run.nominalAt),
    });
    onTestFinished(async () => void (await second.stop()));
    const skipped = next(second, 'slot:skipped');
    await second.start();
    expect(await skipped).toEqual({ scheduleId: 'tick', nominalAt, reason: 'already-claimed' });
    const started = next(second, 'run:started');
    // Its turn ends with the note of what it skipped.
    await second.pause('tick', 'in between');
    await second.resume('tick');
    await clock.advance(EVERY_MS);
    expect(await started).toMatchObject({ nominalAt: nominalAt + EVERY_MS });
    expect(fired).toEqual([nominalAt + EVERY_MS]);
    await second.stop();
    expect((await store.load('tick'))?.state).toMatchObject({
      handledUntil: nominalAt + EVERY_MS,
      lastSlotAt: nominalAt + EVERY_MS,
      runs: 1,
    });
    expect(await store.integrity()).toEqual({ ok: true, problems: [] });
  });
});

describe('two schedulers on one file', () => {
  it('give each slot one run, also across a restart', async () => {
    const { clock, fired, openStore, schedulerOn } = setup();
    const store = openStore();
    const [one, two] = [schedulerOn(store), schedulerOn(store)];
    await one.start();
    await one.save({ id: 'tick', everyMs: EVERY_MS, overlap: 'allow' });
    await two.start();
    for (let slot = 1; slot <= 5; slot += 1) {
      const skipped = Promise.race([next(one, 'slot:skipped'), next(two, 'slot:skipped')]);
      await clock.advance(EVERY_MS);
      expect((await skipped).reason).toBe('already-claimed');
    }
    await Promise.all([one.stop(), two.stop()]);
    expect(new Set(fired).size).toBe(fired.length);
    const before = [...fired];
    await store.close();

    const third = schedulerOn(openStore());
    await third.start();
    // In its turn, after what was due at the start.
    await third.pause('tick', 'asked');
    expect(fired).toEqual(before);
    await third.resume('tick');
    const started = next(third, 'run:started');
    await clock.advance(EVERY_MS);
    expect((await started).nominalAt).toBe(clock.wallTime());
    expect(fired).toHaveLength(before.length + 1);
  });

  it(
    `of two processes fire no slot twice while one after another is killed, in ${ROUNDS} rounds`,
    { timeout: 120_000 },
    async () => {
      const random = seededRandom(ROUNDS);
      const file = join(tempFolder(), 'schedules.db');
      const start = () => startFixture('scheduler-host.mjs', [file, '20', 'never']);
      const hosts = [start(), start()];
      const all = [...hosts];
      for (let round = 0; round < ROUNDS; round += 1) {
        await Promise.all(hosts.map((host) => host.told('claim')));
        await wait(100 + random() * 100);
        const victim = hosts.shift();
        victim?.child.kill('SIGKILL');
        await victim?.ended;
        const replacement = start();
        hosts.push(replacement);
        all.push(replacement);
      }
      for (const { child } of hosts) child.kill('SIGKILL');
      await Promise.all(hosts.map(({ ended }) => ended));

      const facts = all.flatMap((host) => host.facts);
      expect(facts.filter((fact) => 'failed' in fact)).toEqual([]);
      const fired = facts.flatMap((fact) => ('fired' in fact ? [String(fact['fired'])] : []));
      expect(fired.length).toBeGreaterThan(ROUNDS);
      expect(fired.length).toBe(new Set(fired).size);
      const won = facts.filter((fact) => fact['isClaimed'] === true).map((fact) => fact['claim']);
      expect(won.length).toBe(new Set(won).size);
      // They did compete.
      expect(facts.some((fact) => fact['isClaimed'] === false)).toBe(true);
    },
  );
});
