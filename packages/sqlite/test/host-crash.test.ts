import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { seededRandom } from '@pawl/core';
import { type LossReceipt, RUN_STATES, type Run } from '@pawl/tasks';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSqliteRunStore } from '../src/index.ts';
import { isAlive, linesOf, startHost } from './host-process.ts';
import { openFor, setupStore, tempFolder } from './setup-store.ts';

/** Rounds of killing; `PAWL_KILL_ROUNDS=20` for as many as the CI makes. */
const ROUNDS = Number(process.env['PAWL_KILL_ROUNDS'] ?? (process.env['CI'] === undefined ? 6 : 20));
const RUNS = 500;

/** Every run of a store that nobody has open. */
async function runsOf(folder: string): Promise<readonly Run[]> {
  const store = createSqliteRunStore({ file: join(folder, 'runs.db') });
  await openFor(store, 'reader');
  const runs: Run[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list({ limit: 1_000, cursor });
    runs.push(...page.runs);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(await store.integrity()).toEqual({ ok: true, problems: [] });
  const counts = await store.counts();
  expect(RUN_STATES.reduce((sum, state) => sum + counts[state], counts.removed)).toBe(counts.submitted);
  await store.close();
  return runs;
}

/** Processes of the runs that still live. */
function survivors(folder: string): readonly number[] {
  return linesOf(folder, 'pids').map(Number).filter(isAlive);
}

/** A folder for a host, whose processes do not outlive the test, not even one that fails. */
function hostFolder(): string {
  const folder = tempFolder();
  onTestFinished(() => {
    for (const pid of survivors(folder)) process.kill(pid, 'SIGKILL');
  });
  return folder;
}

describe('a host that is killed with kill -9', () => {
  it(
    `loses no run of ${RUNS}, leaves none running and completes none twice, in ${ROUNDS} rounds`,
    async () => {
      const folder = hostFolder();
      const random = seededRandom(ROUNDS);
      const acknowledged = new Set<unknown>();
      for (let round = 0; round < ROUNDS; round += 1) {
        const host = startHost({ folder, submit: RUNS });
        await host.told('open');
        await wait(random() * 400);
        host.child.kill('SIGKILL');
        await host.ended;
        for (const fact of host.facts) if ('submitted' in fact) acknowledged.add(fact['submitted']);
      }
      const last = startHost({ folder, submit: RUNS });
      await last.told('done');
      await last.ended;
      for (const fact of last.facts) if ('submitted' in fact) acknowledged.add(fact['submitted']);

      const runs = await runsOf(folder);
      expect(runs).toHaveLength(RUNS);
      expect(new Set(runs.map(({ id }) => id))).toEqual(acknowledged);
      expect(runs.filter(({ state }) => state !== 'succeeded')).toEqual([]);
      const completions = runs.map(
        ({ attempts }) => attempts.filter(({ outcome }) => outcome === 'succeeded').length,
      );
      expect(completions.every((count) => count === 1)).toBe(true);
      const effects = new Set(linesOf(folder, 'effects'));
      expect(runs.filter(({ id }) => !effects.has(id))).toEqual([]);
      const lost = runs.flatMap(({ attempts }) => attempts.filter(({ outcome }) => outcome === 'lost'));
      expect(lost.length).toBeGreaterThan(0);
      expect(
        lost.every(({ receipt, host }) => receipt?.reason === 'host-died' && receipt.host.id === host.id),
      ).toBe(true);
      expect(survivors(folder)).toEqual([]);
    },
    30_000 + ROUNDS * 5_000,
  );

  it.runIf(process.platform === 'linux')(
    'is found by the next one, which ends its processes first and leaves a receipt',
    async () => {
      const folder = hostFolder();
      const first = startHost({ folder, submit: 1, task: 'family' });
      await first.told('attempt:started');
      while (linesOf(folder, 'pids').length < 3) await wait(10);
      const family = linesOf(folder, 'pids').map(Number);
      first.child.kill('SIGKILL');
      await first.ended;
      // A process that has nothing to do with it must be left alone.
      expect(family.map(isAlive)).toEqual([true, true, true]);

      const second = startHost({ folder, submit: 0 });
      const { receipt } = (await second.told('attempt:lost')) as { readonly receipt: LossReceipt };
      expect(family.filter(isAlive)).toEqual([]);
      expect(receipt).toMatchObject({
        reason: 'host-died',
        host: {
          pid: first.child.pid,
          startTime: expect.stringMatching(/^\d+$/) as string,
          bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
        },
      });
      expect(new Set(receipt.endedPids)).toEqual(new Set(family));
      expect(receipt.foundAt).toBeGreaterThanOrEqual(receipt.lastHeartbeatAt);
      await second.told('attempt:started');
      while (linesOf(folder, 'pids').length < 6) await wait(10);
      second.child.kill('SIGTERM');
      await second.ended;
      expect(survivors(folder)).toEqual([]);
      const [run] = await runsOf(folder);
      expect(run?.attempts.map(({ outcome, fence }) => [outcome, fence])).toEqual([
        ['lost', 1],
        ['stopped', 2],
      ]);
      expect(run).toMatchObject({ state: 'queued', losses: 1, failures: 0 });
    },
  );

  it('does not run again what was cancelled before: the next one ends its processes and cancels it', async () => {
    const folder = hostFolder();
    const first = startHost({ folder, submit: 1, task: 'family' });
    const { submitted } = await first.told('submitted');
    await first.told('attempt:started');
    while (linesOf(folder, 'pids').length < 3) await wait(10);
    first.child.kill('SIGKILL');
    await first.ended;
    const store = createSqliteRunStore({ file: join(folder, 'runs.db') });
    await openFor(store);
    await store.cancel(String(submitted), 0, 'by an operator');
    await store.close();

    const second = startHost({ folder });
    expect(await second.told('run:ended')).toMatchObject({ 'run:ended': submitted });
    await second.ended;
    expect(survivors(folder)).toEqual([]);
    const [run] = await runsOf(folder);
    expect(run).toMatchObject({ state: 'cancelled', cancelReason: 'by an operator', fence: 1 });
  });
});

describe('a second host on the same file', () => {
  it('is refused, naming the first; and takes over when that one is dead', async () => {
    const folder = hostFolder();
    const first = startHost({ folder, submit: 1, task: 'forever' });
    await first.told('attempt:started');
    const second = startHost({ folder });
    const { error } = (await second.told('error')) as {
      readonly error: { readonly code: string; readonly message: string };
    };
    await second.ended;
    expect(error.code).toBe('STORE_LOCKED');
    expect(error.message).toMatch(
      new RegExp(
        `^The run store .*runs\\.db is in use by process ${first.child.pid} on \\S+ since 20\\d\\d-.*Z\\.$`,
      ),
    );
    expect(first.child.exitCode).toBeNull();

    // A host that stands still is not dead.
    first.child.kill('SIGSTOP');
    const third = startHost({ folder });
    expect(await third.told('error')).toMatchObject({ error: { code: 'STORE_LOCKED' } });
    await third.ended;
    first.child.kill('SIGCONT');

    first.child.kill('SIGKILL');
    await first.ended;
    expect(existsSync(join(folder, 'runs.db.lock'))).toBe(true);
    const next = startHost({ folder });
    await next.told('attempt:lost');
    next.child.kill('SIGTERM');
  });

  it('is refused in the same process too', async () => {
    const { file, store } = setupStore();
    await openFor(store, 'host-1');
    const second = createSqliteRunStore({ file });
    await expect(openFor(second, 'host-2')).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      holder: { id: 'host-1' },
    });
    await second.close();
    await expect(openFor(second, 'host-2')).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  });
});
