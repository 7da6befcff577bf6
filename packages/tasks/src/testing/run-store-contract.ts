import { strict as assert } from 'node:assert';
import { hasCode } from '@pawl/core';
import type { AttemptOutcome, LossReceipt, Run } from '../tracking/run.ts';
import type { RunStore } from '../tracking/run-store.ts';
import { RUN_MOVES, RUN_STATES, type RunState } from '../tracking/run-state.ts';
import { sampleHost, sampleRun, T0 } from './run-samples.ts';
import { walkWithModel } from './run-store-walk.ts';

/** One rule of a store, for any test runner: `it(check.title, check.run)`. */
export interface StoreCheck {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/** How many random walks are compared with the model, and how long each is. */
const WALKS = 25;
const STEPS = 80;

const code =
  (...codes: readonly string[]) =>
  (error: unknown): boolean =>
    hasCode(error, ...codes);
/** What JSON makes of it: a field that is undefined and one that is missing mean the same. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));
const idsOf = (runs: readonly Run[]): readonly string[] => runs.map(({ id }) => id);

/** Submits a run and begins an attempt of it. */
async function running(
  store: RunStore,
  id = 'a',
  changes: Parameters<typeof sampleRun>[1] = {},
): Promise<Run> {
  await store.add(sampleRun(id, changes));
  const { claimed } = await store.claim({ now: T0, limit: 1 });
  const [run] = claimed;
  assert.equal(run?.id, id);
  return run;
}

/** Takes a fresh run to this state, by the shortest way. */
async function bring(store: RunStore, id: string, state: RunState): Promise<Run> {
  if (state === 'queued') return (await store.add(sampleRun(id))).run;
  const { fence } = await running(store, id);
  if (state === 'running') return (await store.get(id)) as Run;
  return store.settle(id, fence, T0, { outcome: state });
}

/**
 * The rules every {@link RunStore} keeps, as checks to run against yours.
 * @param create makes a fresh, empty store that was not opened; one that was closed must open again with its runs
 */
export function runStoreContract(create: () => RunStore | Promise<RunStore>): readonly StoreCheck[] {
  const check = (title: string, body: (store: RunStore) => Promise<void>, maxPerKey = 1): StoreCheck => ({
    title,
    run: async () => {
      const store = await create();
      try {
        await store.open({ host: sampleHost('host-1'), maxPerKey });
        await body(store);
      } finally {
        await store.close();
      }
    },
  });

  return [
    check('holds nothing at first', async (store) => {
      assert.equal(await store.get('a'), undefined);
      assert.deepEqual(await store.list({}), { runs: [], nextCursor: undefined });
      assert.equal((await store.counts()).submitted, 0);
      assert.deepEqual(await store.claim({ now: T0, limit: 5 }), {
        claimed: [],
        expired: [],
        nextAt: undefined,
      });
    }),
    check('gives back what it was given', async (store) => {
      const draft = sampleRun('a', {
        input: { text: 'ключ \u{1F511} "quoted"', list: [1, null, { deep: true }] },
        priority: 2.5,
        key: 'k',
        idempotencyKey: 'i',
        deadlineAt: T0 + 5,
        timeoutMs: 1_000,
        maxAttempts: Infinity,
      });
      const { run, created } = await store.add(draft);
      assert.equal(created, true);
      assert.deepEqual(plain(await store.get('a')), plain(run));
      assert.deepEqual(plain({ ...run, ...draft }), plain(run));
      assert.equal((await store.get('a'))?.maxAttempts, Infinity);
      assert.deepEqual(
        [run.state, run.fence, run.attempts, run.failures, run.losses, run.result, run.startedAt],
        ['queued', 0, [], 0, 0, undefined, undefined],
      );
    }),
    check('is not changed through what it was given or gave', async (store) => {
      const input = { list: [1] };
      const { run } = await store.add(sampleRun('a', { input }));
      input.list.push(2);
      (run.input as typeof input).list.push(3);
      assert.deepEqual((await store.get('a'))?.input, { list: [1] });
    }),
    check('refuses an id that it has', async (store) => {
      await store.add(sampleRun('a', { input: 1 }));
      await assert.rejects(store.add(sampleRun('a', { input: 2 })), code('RUN_EXISTS'));
      assert.equal((await store.get('a'))?.input, 1);
      assert.equal((await store.counts()).submitted, 1);
    }),
    check('answers an idempotency key with its run, and another payload with a refusal', async (store) => {
      const draft = sampleRun('a', { idempotencyKey: 'i', fingerprint: 'one' });
      await store.add(draft);
      const again = await store.add({ ...draft, id: 'b' });
      assert.deepEqual([again.created, again.run.id], [false, 'a']);
      await assert.rejects(store.add({ ...draft, id: 'c', fingerprint: 'two' }), (error) => {
        assert.ok(hasCode(error, 'IDEMPOTENCY_CONFLICT'));
        assert.equal((error as { readonly runId?: unknown }).runId, 'a');
        return true;
      });
      assert.deepEqual(idsOf((await store.list({})).runs), ['a']);
    }),
    check('makes one run of many submissions at the same time with one idempotency key', async (store) => {
      const added = await Promise.all(
        Array.from({ length: 50 }, (_, index) => store.add(sampleRun(`r${index}`, { idempotencyKey: 'i' }))),
      );
      assert.equal(added.filter(({ created }) => created).length, 1);
      assert.equal(new Set(added.map(({ run }) => run.id)).size, 1);
    }),
    check('keeps the idempotency key of an ended run, and frees that of a removed one', async (store) => {
      const { fence } = await running(store, 'a', { idempotencyKey: 'i' });
      await store.settle('a', fence, T0, { outcome: 'succeeded', result: 1 });
      assert.equal((await store.add(sampleRun('b', { idempotencyKey: 'i' }))).created, false);
      assert.deepEqual(await store.remove(T0 + 1, 10), ['a']);
      assert.equal(
        (await store.add(sampleRun('b', { idempotencyKey: 'i', fingerprint: 'x' }))).created,
        true,
      );
    }),

    check('refuses a run when as many are queued as may be, and keeps all that it has', async (store) => {
      const reopen = async (): Promise<void> => {
        await store.close();
        await store.open({ host: sampleHost('host-1'), maxPerKey: 1, maxQueued: 3 });
      };
      await reopen();
      const added = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          store.add(sampleRun(`r${index}`, { idempotencyKey: `i${index}`, availableAt: T0 + (index % 2) })),
        ),
      );
      assert.deepEqual(
        added.map(({ status }) => status),
        added.map((_, index) => (index < 3 ? 'fulfilled' : 'rejected')),
      );
      await reopen();
      await assert.rejects(store.add(sampleRun('more')), (error) => {
        assert.ok(hasCode(error, 'RUN_QUEUE_FULL'));
        assert.equal((error as { readonly maxQueued?: unknown }).maxQueued, 3);
        return true;
      });
      const again = await store.add(sampleRun('again', { idempotencyKey: 'i0' }));
      assert.deepEqual([again.created, again.run.id], [false, 'r0']);
      const { queued, submitted } = await store.counts();
      assert.deepEqual([queued, submitted], [3, 3]);
      // One that begins makes room, and comes back beyond the limit.
      const { claimed } = await store.claim({ now: T0, limit: 1 });
      assert.deepEqual(idsOf(claimed), ['r0']);
      assert.equal((await store.add(sampleRun('more'))).created, true);
      await store.settle('r0', 1, T0, { outcome: 'stopped' });
      assert.equal((await store.counts()).queued, 4);
      await assert.rejects(store.add(sampleRun('last')), code('RUN_QUEUE_FULL'));
    }),

    check('claims by priority, then by the order of submission', async (store) => {
      await store.add(sampleRun('a'));
      await store.add(sampleRun('b', { priority: 3 }));
      await store.add(sampleRun('c'));
      await store.add(sampleRun('d', { priority: 2.5 }));
      assert.deepEqual(idsOf((await store.claim({ now: T0, limit: 3 })).claimed), ['b', 'd', 'a']);
      assert.deepEqual(idsOf((await store.claim({ now: T0, limit: 3 })).claimed), ['c']);
    }),
    check('begins an attempt with each claim', async (store) => {
      const run = await running(store);
      const [attempt] = run.attempts;
      assert.deepEqual([run.state, run.fence, run.startedAt, run.heartbeatAt], ['running', 1, T0, T0]);
      assert.deepEqual(
        [attempt?.fence, attempt?.number, attempt?.host.id, attempt?.startedAt, attempt?.outcome],
        [1, 1, 'host-1', T0, undefined],
      );
      assert.deepEqual(plain(await store.get('a')), plain(run));
    }),
    check('does not claim a run before its time, and says when that is', async (store) => {
      await store.add(sampleRun('a', { availableAt: T0 + 500 }));
      await store.add(sampleRun('b', { availableAt: T0 + 300, deadlineAt: T0 + 900 }));
      const early = await store.claim({ now: T0 + 299, limit: 5 });
      assert.deepEqual([early.claimed, early.nextAt], [[], T0 + 300]);
      const later = await store.claim({ now: T0 + 300, limit: 0 });
      assert.deepEqual([later.claimed, later.nextAt], [[], T0 + 500]);
      assert.deepEqual(idsOf((await store.claim({ now: T0 + 500, limit: 5 })).claimed), ['a', 'b']);
    }),
    check('times out a queued run at its deadline', async (store) => {
      await store.add(sampleRun('a', { deadlineAt: T0 + 100 }));
      await store.add(sampleRun('b', { availableAt: T0 + 900, deadlineAt: T0 + 100 }));
      assert.equal((await store.claim({ now: T0, limit: 0 })).nextAt, T0 + 100);
      const { claimed, expired, nextAt } = await store.claim({ now: T0 + 100, limit: 5 });
      assert.deepEqual([claimed, idsOf(expired).toSorted(), nextAt], [[], ['a', 'b'], undefined]);
      const run = await store.get('a');
      assert.deepEqual([run?.state, run?.error?.code, run?.endedAt], ['timed-out', 'RUN_DEADLINE', T0 + 100]);
    }),
    check(
      'keeps to the limit of each key, and passes over the runs that have no room',
      async (store) => {
        for (const id of ['k1', 'k2', 'k3', 'k4']) await store.add(sampleRun(id, { key: 'k' }));
        await store.add(sampleRun('other', { key: 'o' }));
        await store.add(sampleRun('free'));
        const { claimed } = await store.claim({ now: T0, limit: 10 });
        assert.deepEqual(idsOf(claimed), ['k1', 'k2', 'other', 'free']);
        assert.deepEqual((await store.claim({ now: T0, limit: 10 })).claimed, []);
        await store.settle('k2', 1, T0, { outcome: 'succeeded' });
        assert.deepEqual(idsOf((await store.claim({ now: T0, limit: 10 })).claimed), ['k3']);
        await store.settle('k1', 1, T0, { outcome: 'failed' });
        await store.settle('k3', 1, T0, { outcome: 'failed' });
        assert.deepEqual(idsOf((await store.claim({ now: T0, limit: 10 })).claimed), ['k4']);
      },
      2,
    ),
    check('lets the more urgent run of a key go first, also when it came later', async (store) => {
      await store.add(sampleRun('normal', { key: 'k' }));
      await store.add(sampleRun('urgent', { key: 'k', priority: 4 }));
      assert.deepEqual(idsOf((await store.claim({ now: T0, limit: 5 })).claimed), ['urgent']);
      await store.cancel('urgent', T0, undefined);
      await store.settle('urgent', 1, T0, { outcome: 'cancelled' });
      assert.deepEqual(idsOf((await store.claim({ now: T0, limit: 5 })).claimed), ['normal']);
    }),
    check('frees the turn of a queued run of a key that is cancelled', async (store) => {
      for (const id of ['a', 'b']) await store.add(sampleRun(id, { key: 'k' }));
      await store.cancel('a', T0, undefined);
      assert.deepEqual(idsOf((await store.claim({ now: T0, limit: 5 })).claimed), ['b']);
    }),
    check('queues a retry for its moment, behind nobody who came later', async (store) => {
      const { fence } = await running(store, 'a', { maxAttempts: 2 });
      await store.add(sampleRun('b'));
      const run = await store.settle('a', fence, T0 + 10, { outcome: 'failed', retryAt: T0 + 50 });
      assert.deepEqual(
        [run.state, run.failures, run.availableAt, run.endedAt],
        ['queued', 1, T0 + 50, undefined],
      );
      const { claimed } = await store.claim({ now: T0 + 50, limit: 5 });
      assert.deepEqual(idsOf(claimed), ['a', 'b']);
      assert.deepEqual([claimed[0]?.fence, claimed[0]?.attempts.map(({ number }) => number)], [2, [1, 2]]);
    }),
    check('counts neither a lost nor a stopped attempt as a failure', async (store) => {
      await running(store);
      await store.settle('a', 1, T0, { outcome: 'stopped' });
      assert.equal((await store.claim({ now: T0, limit: 1 })).claimed[0]?.attempts.at(-1)?.number, 1);
      const lost = await store.settle('a', 2, T0, { outcome: 'lost', retryAt: T0 });
      assert.deepEqual([lost.state, lost.failures, lost.losses], ['queued', 0, 1]);
    }),
    check('keeps the receipt of a lost attempt', async (store) => {
      const run = await running(store);
      const receipt: LossReceipt = {
        reason: 'host-died',
        host: sampleHost('host-0'),
        process: { pid: 7, startTime: '9' },
        lastHeartbeatAt: T0,
        foundAt: T0 + 1,
        endedPids: [7, 8],
      };
      await store.settle('a', run.fence, T0 + 1, { outcome: 'lost', receipt });
      const after = await store.get('a');
      assert.equal(after?.state, 'lost');
      assert.deepEqual(plain(after?.attempts[0]?.receipt), plain(receipt));
    }),

    check('takes the outcome of the attempt under way alone', async (store) => {
      const { fence } = await running(store);
      await store.settle('a', fence, T0, { outcome: 'lost', retryAt: T0 });
      await store.claim({ now: T0, limit: 1 });
      const before = await store.get('a');
      const late = store.settle('a', fence, T0, { outcome: 'succeeded', result: 'late' });
      await assert.rejects(late, code('STALE_ATTEMPT'));
      await assert.rejects(store.noteProcess('a', fence, { pid: 1, startTime: '1' }), code('STALE_ATTEMPT'));
      assert.deepEqual(plain(await store.get('a')), plain(before));
      const done = await store.settle('a', fence + 1, T0, { outcome: 'succeeded', result: 'new' });
      assert.deepEqual([done.state, done.result], ['succeeded', 'new']);
      await assert.rejects(
        store.settle('a', fence + 1, T0, { outcome: 'succeeded', result: 'again' }),
        code('STALE_ATTEMPT'),
      );
      assert.equal((await store.get('a'))?.result, 'new');
    }),
    check('gives an outcome to one of two that bring it at the same time', async (store) => {
      const { fence } = await running(store);
      const settled = await Promise.allSettled(
        ['one', 'two'].map((result) => store.settle('a', fence, T0, { outcome: 'succeeded', result })),
      );
      assert.deepEqual(settled.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
      assert.equal((await store.counts()).succeeded, 1);
    }),
    check('makes no move out of a final state, nor back', async (store) => {
      for (const state of RUN_STATES) {
        const before = await bring(store, state, state);
        for (const outcome of RUN_MOVES.running.filter((to) => to !== 'queued')) {
          if (state === 'running') continue;
          const ending = { outcome: outcome as AttemptOutcome };
          await assert.rejects(
            store.settle(state, before.fence, T0, ending),
            code('STALE_ATTEMPT'),
            `${state} → ${outcome}`,
          );
        }
        if (state !== 'queued') assert.deepEqual((await store.claim({ now: T0, limit: 9 })).claimed, []);
        if (RUN_MOVES[state].length === 0) {
          assert.equal((await store.cancel(state, T0, 'late')).changed, false);
        }
        assert.deepEqual(plain(await store.get(state)), plain(before));
        if (state === 'queued') await store.cancel(state, T0, undefined);
        if (state === 'running') await store.settle(state, before.fence, T0, { outcome: 'failed' });
      }
    }),
    check('says of an unknown run that there is none', async (store) => {
      await assert.rejects(store.cancel('nobody', T0, undefined), code('RUN_NOT_FOUND'));
      await assert.rejects(store.settle('nobody', 1, T0, { outcome: 'failed' }), code('RUN_NOT_FOUND'));
      await assert.rejects(store.noteProcess('nobody', 1, { pid: 1, startTime: '1' }), code('RUN_NOT_FOUND'));
    }),

    check('cancels a queued run at once, and for good', async (store) => {
      await store.add(sampleRun('a'));
      const { run, changed } = await store.cancel('a', T0 + 5, 'not needed');
      assert.equal(changed, true);
      assert.deepEqual(
        [run.state, run.cancelReason, run.endedAt, run.attempts],
        ['cancelled', 'not needed', T0 + 5, []],
      );
      assert.deepEqual((await store.claim({ now: T0 + 9, limit: 5 })).claimed, []);
    }),
    check('notes the cancel of a running run, which can end in no other way then', async (store) => {
      const outcomes = ['succeeded', 'failed', 'timed-out', 'cancelled', 'lost', 'stopped'] as const;
      for (const outcome of outcomes) {
        const { fence } = await running(store, outcome);
        const { run } = await store.cancel(outcome, T0 + 5, 'enough');
        assert.deepEqual([run.state, run.cancelRequestedAt], ['running', T0 + 5]);
        assert.equal((await store.cancel(outcome, T0 + 6, 'again')).changed, false);
        const ended = await store.settle(outcome, fence, T0 + 9, { outcome, retryAt: T0 });
        assert.deepEqual([ended.state, ended.cancelReason, ended.result], ['cancelled', 'enough', undefined]);
      }
    }),

    check('stores signs of life and progress, and tells what is over or to be cancelled', async (store) => {
      for (const id of ['a', 'b', 'c']) await store.add(sampleRun(id));
      await store.claim({ now: T0, limit: 3 });
      await store.cancel('b', T0, undefined);
      await store.settle('c', 1, T0, { outcome: 'failed' });
      const report = await store.heartbeat(T0 + 70, [
        { id: 'a', fence: 1, progress: { done: 3 } },
        { id: 'b', fence: 1 },
        { id: 'c', fence: 1, progress: 'late' },
        { id: 'nobody', fence: 1 },
      ]);
      assert.deepEqual(report, { stale: ['c', 'nobody'], cancelRequested: ['b'] });
      const a = await store.get('a');
      assert.deepEqual([a?.heartbeatAt, a?.progress], [T0 + 70, { done: 3 }]);
      assert.equal((await store.get('c'))?.progress, undefined);
      await store.heartbeat(T0 + 80, [{ id: 'a', fence: 1 }]);
      assert.deepEqual((await store.get('a'))?.progress, { done: 3 });
    }),
    check('stores what an attempt reported last with its end', async (store) => {
      const { fence } = await running(store);
      await store.heartbeat(T0, [{ id: 'a', fence, progress: { done: 1 } }]);
      await store.settle('a', fence, T0, { outcome: 'succeeded', result: 1, progress: { done: 2 } });
      assert.deepEqual((await store.get('a'))?.progress, { done: 2 });
    }),
    check('keeps what an attempt started', async (store) => {
      const { fence } = await running(store);
      await store.noteProcess('a', fence, { pid: 321, startTime: '55' });
      assert.deepEqual((await store.get('a'))?.attempts[0]?.process, { pid: 321, startTime: '55' });
    }),
    check('keeps the latest 20 attempts', async (store) => {
      await store.add(sampleRun('a', { maxAttempts: Infinity }));
      for (let fence = 1; fence <= 25; fence += 1) {
        await store.claim({ now: T0, limit: 1 });
        await store.settle('a', fence, T0, { outcome: 'failed', retryAt: T0 });
      }
      const run = await store.get('a');
      assert.deepEqual(
        [run?.failures, run?.attempts.length, run?.attempts[0]?.fence, run?.attempts.at(-1)?.number],
        [25, 20, 6, 25],
      );
    }),

    check('is taken by one host at a time, and names it', async (store) => {
      await assert.rejects(store.open({ host: sampleHost('host-2'), maxPerKey: 1 }), (error) => {
        assert.ok(hasCode(error, 'STORE_LOCKED'));
        assert.deepEqual((error as { readonly holder?: unknown }).holder, sampleHost('host-1'));
        return true;
      });
      await store.close();
      await store.open({ host: sampleHost('host-2'), maxPerKey: 1 });
    }),
    check('refuses to work while it is closed', async (store) => {
      await store.add(sampleRun('a'));
      await store.close();
      await store.close();
      await assert.rejects(store.get('a'), code('STORE_CLOSED'));
      await assert.rejects(store.add(sampleRun('b')), code('STORE_CLOSED'));
      await assert.rejects(store.claim({ now: T0, limit: 1 }), code('STORE_CLOSED'));
    }),
    check(
      'has its runs when it is opened again, and shows what the last host left running',
      async (store) => {
        await store.add(sampleRun('done'));
        await store.add(sampleRun('left'));
        await store.claim({ now: T0, limit: 2 });
        await store.settle('done', 1, T0, { outcome: 'succeeded', result: [1] });
        await store.add(sampleRun('waiting', { key: 'k' }));
        await store.add(sampleRun('behind', { key: 'k' }));
        assert.deepEqual(await store.orphaned(10), []);
        await store.close();
        await store.open({ host: sampleHost('host-2'), maxPerKey: 2 });
        const left = await store.orphaned(10);
        assert.deepEqual(idsOf(left), ['left']);
        assert.equal(left[0]?.attempts.at(-1)?.host.id, 'host-1');
        assert.deepEqual((await store.get('done'))?.result, [1]);
        assert.deepEqual(idsOf((await store.claim({ now: T0, limit: 9 })).claimed), ['waiting', 'behind']);
        assert.deepEqual(idsOf(await store.orphaned(10)), ['left']);
      },
    ),

    check('lists the latest submission first, page by page', async (store) => {
      for (let index = 0; index < 25; index += 1) {
        await store.add(sampleRun(`r${index}`, { createdAt: T0 + Math.floor(index / 3) }));
      }
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.list({ limit: 4, cursor });
        seen.push(...idsOf(page.runs));
        cursor = page.nextCursor;
        // What comes in meanwhile moves nothing.
        await store.add(sampleRun(`new${seen.length}`, { createdAt: T0 + 1_000 }));
      } while (cursor !== undefined);
      assert.deepEqual(
        seen,
        Array.from({ length: 25 }, (_, index) => `r${24 - index}`),
      );
    }),
    check('lists by state, task, key and time together', async (store) => {
      await store.add(sampleRun('a', { task: 'one', key: 'k', createdAt: T0 }));
      await store.add(sampleRun('b', { task: 'two', key: 'k', createdAt: T0 + 1 }));
      await store.add(sampleRun('c', { task: 'one', key: 'l', createdAt: T0 + 2 }));
      await store.add(sampleRun('d', { task: 'one', createdAt: T0 + 3 }));
      await store.cancel('c', T0, undefined);
      const listed = async (query: Parameters<RunStore['list']>[0]): Promise<readonly string[]> =>
        idsOf((await store.list(query)).runs);
      assert.deepEqual(await listed({ task: 'one' }), ['d', 'c', 'a']);
      assert.deepEqual(await listed({ task: 'one', state: 'queued' }), ['d', 'a']);
      assert.deepEqual(await listed({ state: ['queued', 'cancelled'] }), ['d', 'c', 'b', 'a']);
      assert.deepEqual(await listed({ key: 'k' }), ['b', 'a']);
      assert.deepEqual(await listed({ key: 'k', task: 'two', state: 'queued' }), ['b']);
      assert.deepEqual(await listed({ createdFrom: T0 + 1, createdBefore: T0 + 3 }), ['c', 'b']);
      assert.deepEqual(await listed({ state: [] }), []);
    }),
    check('lists the runs of a schedule', async (store) => {
      await store.add(sampleRun('a', { schedule: 'nightly' }));
      await store.add(sampleRun('b', { schedule: 'nightly', key: 'k', createdAt: T0 + 1 }));
      await store.add(sampleRun('c', { schedule: 'night', createdAt: T0 + 2 }));
      await store.add(sampleRun('d', { key: 'k', createdAt: T0 + 3 }));
      await store.add(sampleRun('e', { schedule: 'nightly', task: 'other', createdAt: T0 + 4 }));
      await store.cancel('a', T0, undefined);
      const listed = async (query: Parameters<RunStore['list']>[0]): Promise<readonly string[]> =>
        idsOf((await store.list(query)).runs);
      assert.deepEqual(await listed({ schedule: 'nightly' }), ['e', 'b', 'a']);
      assert.deepEqual(await listed({ schedule: 'nightly', state: 'queued' }), ['e', 'b']);
      assert.deepEqual(await listed({ schedule: 'nightly', key: 'k', task: 'task' }), ['b']);
      assert.deepEqual(await listed({ schedule: 'nightly', createdBefore: T0 + 1 }), ['a']);
      assert.deepEqual(await listed({ schedule: 'nobody' }), []);
      const { runs, nextCursor } = await store.list({ schedule: 'nightly', limit: 2 });
      assert.deepEqual(idsOf(runs), ['e', 'b']);
      assert.deepEqual(await listed({ schedule: 'nightly', limit: 2, cursor: nextCursor }), ['a']);
      assert.deepEqual(await store.remove(T0 + 10, 10), ['a']);
      assert.deepEqual(await listed({ schedule: 'nightly' }), ['e', 'b']);
      assert.deepEqual(
        [(await store.get('c'))?.schedule, (await store.get('d'))?.schedule],
        ['night', undefined],
      );
    }),
    check('refuses a query that makes no sense', async (store) => {
      await assert.rejects(store.list({ limit: 0 }), RangeError);
      await assert.rejects(store.list({ state: 'gone' as RunState }), TypeError);
      await assert.rejects(store.list({ cursor: 'nonsense' }), code('INVALID_CURSOR'));
    }),
    check('counts so that it always adds up', async (store) => {
      for (let index = 0; index < 9; index += 1) await store.add(sampleRun(`r${index}`));
      await store.claim({ now: T0, limit: 7 });
      const outcomes = ['succeeded', 'failed', 'timed-out', 'cancelled', 'lost', 'stopped'] as const;
      for (const [index, outcome] of outcomes.entries()) await store.settle(`r${index}`, 1, T0, { outcome });
      assert.deepEqual(await store.remove(T0 + 1, 2), ['r0', 'r1']);
      assert.deepEqual(await store.counts(), {
        queued: 3,
        running: 1,
        succeeded: 0,
        failed: 0,
        'timed-out': 1,
        cancelled: 1,
        lost: 1,
        submitted: 9,
        removed: 2,
      });
    }),
    check('removes what ended before a moment, oldest first, and nothing else', async (store) => {
      for (const id of ['old', 'older', 'new', 'active', 'waiting']) await store.add(sampleRun(id));
      await store.claim({ now: T0, limit: 4 });
      await store.settle('old', 1, T0 + 10, { outcome: 'failed' });
      await store.settle('older', 1, T0 + 5, { outcome: 'succeeded' });
      await store.settle('new', 1, T0 + 20, { outcome: 'succeeded' });
      assert.deepEqual(await store.remove(T0 + 20, 1), ['older']);
      assert.deepEqual(await store.remove(T0 + 20, 10), ['old']);
      assert.deepEqual(await store.remove(T0 + 20, 10), []);
      assert.equal(await store.get('old'), undefined);
      assert.deepEqual(idsOf((await store.list({})).runs), ['waiting', 'active', 'new']);
    }),
    check('deletes one run that is over, and frees its idempotency key', async (store) => {
      await store.add(sampleRun('a', { idempotencyKey: 'once' }));
      await assert.rejects(store.delete('a'), code('RUN_NOT_ENDED'));
      await store.claim({ now: T0, limit: 1 });
      await assert.rejects(store.delete('a'), code('RUN_NOT_ENDED'));
      await store.settle('a', 1, T0, { outcome: 'failed' });
      await store.delete('a');
      await assert.rejects(store.delete('a'), code('RUN_NOT_FOUND'));
      assert.equal(await store.get('a'), undefined);
      assert.equal((await store.add(sampleRun('b', { idempotencyKey: 'once' }))).created, true);
      const { submitted, removed, failed } = await store.counts();
      assert.deepEqual([submitted, removed, failed], [2, 1, 0]);
    }),
    ...Array.from({ length: WALKS }, (_, seed) =>
      check(
        `agrees with a plain model on random walk ${seed}`,
        (store) => walkWithModel(store, { seed, steps: STEPS, maxPerKey: 2 }),
        2,
      ),
    ),
  ];
}
