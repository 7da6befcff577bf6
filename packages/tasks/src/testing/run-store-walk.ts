import { strict as assert } from 'node:assert';
import { hasCode, type Random, seededRandom } from '@pawl/core';
import { RUN_STATES, type RunState } from '../tracking/run-state.ts';
import type { RunStore } from '../tracking/run-store.ts';
import { sampleHost, sampleRun, T0 } from './run-samples.ts';

/** What the model knows of a run. */
interface ModelRun {
  readonly id: string;
  readonly order: number;
  readonly priority: number;
  readonly key: string | undefined;
  readonly deadlineAt: number;
  availableAt: number;
  state: RunState;
  fence: number;
  host: string;
  endedAt: number;
  isCancelRequested: boolean;
}

export interface WalkOptions {
  readonly seed: number;
  readonly steps: number;
  readonly maxPerKey: number;
}

/**
 * Does random things with a store, and the same with a model of a few lines that sorts and filters a list each time;
 * both must agree after every step.
 */
export async function walkWithModel(store: RunStore, { seed, steps, maxPerKey }: WalkOptions): Promise<void> {
  const random = seededRandom(seed);
  const model = new Model(maxPerKey);
  let now = T0;
  let hosts = 1;
  for (let step = 0; step < steps; step += 1) {
    now += Math.floor(random() * 20);
    const id = `r${Math.floor(random() * (model.runs.length + 1))}`;
    const what = pick(random, [
      'add',
      'add',
      'claim',
      'claim',
      'settle',
      'settle',
      'cancel',
      'remove',
      'crash',
    ]);
    const where = `seed ${seed}, step ${step}: ${what} ${id}`;
    if (what === 'add') {
      const draft = sampleRun(`r${model.runs.length}`, {
        priority: pick(random, [1, 2, 2, 3]),
        key: pick(random, [undefined, 'k', 'l']),
        createdAt: now,
        availableAt: now + pick(random, [0, 0, 30]),
        deadlineAt: pick(random, [undefined, now + 50]),
      });
      await store.add(draft);
      model.add(draft);
    } else if (what === 'claim') {
      const limit = Math.floor(random() * 4);
      const { claimed, expired, nextAt } = await store.claim({ now, limit });
      const expected = model.claim(now, limit, `host-${hosts}`);
      assert.deepEqual(
        claimed.map((run) => run.id),
        expected.claimed,
        where,
      );
      assert.deepEqual(expired.map((run) => run.id).toSorted(), expected.expired.toSorted(), where);
      assert.equal(nextAt, expected.nextAt, where);
    } else if (what === 'settle') {
      const outcome = pick(random, ['succeeded', 'failed', 'lost', 'stopped'] as const);
      const retryAt = pick(random, [undefined, now + 10]);
      const fence = (model.find(id)?.fence ?? 1) - pick(random, [0, 0, 0, 1]);
      const settled = await codeOf(store.settle(id, fence, now, { outcome, retryAt }));
      assert.equal(settled, model.settle(id, fence, now, outcome, retryAt), where);
    } else if (what === 'cancel') {
      assert.equal(await codeOf(store.cancel(id, now, undefined)), model.cancel(id, now), where);
    } else if (what === 'remove') {
      const removed = await store.remove(now - 40, 2);
      assert.deepEqual(new Set(removed), new Set(model.remove(now - 40, 2)), where);
    } else {
      hosts += 1;
      await store.close();
      await store.open({ host: sampleHost(`host-${hosts}`), maxPerKey });
      const orphans = (await store.orphaned(1_000)).map((run) => run.id);
      assert.deepEqual(orphans.toSorted(), model.orphaned(`host-${hosts}`).toSorted(), where);
    }
    await compare(store, model, where);
  }
}

async function compare(store: RunStore, model: Model, where: string): Promise<void> {
  const counts = await store.counts();
  const states = RUN_STATES.map((state) => counts[state]);
  assert.deepEqual(
    states,
    RUN_STATES.map((state) => model.count(state)),
    where,
  );
  assert.equal(
    counts.submitted,
    states.reduce((sum, count) => sum + count, counts.removed),
    where,
  );
  assert.equal(counts.submitted, model.submitted, where);
  const listed = (await store.list({ limit: 1_000 })).runs.map(({ id, state, fence }) => ({
    id,
    state,
    fence,
  }));
  const kept = model.runs.filter(({ state }) => state !== 'removed');
  assert.deepEqual(
    listed,
    kept.toReversed().map(({ id, state, fence }) => ({ id, state, fence })),
    where,
  );
}

class Model {
  readonly #maxPerKey: number;
  readonly runs: (Omit<ModelRun, 'state'> & { state: RunState | 'removed' })[] = [];

  constructor(maxPerKey: number) {
    this.#maxPerKey = maxPerKey;
  }

  get submitted(): number {
    return this.runs.length;
  }

  count(state: RunState): number {
    return this.runs.filter((run) => run.state === state).length;
  }

  find(id: string): (typeof this.runs)[number] | undefined {
    return this.runs.find((run) => run.id === id && run.state !== 'removed');
  }

  add(draft: ReturnType<typeof sampleRun>): void {
    const { id, priority, key, availableAt, deadlineAt = Infinity } = draft;
    const facts = { id, priority, key, availableAt, deadlineAt, order: this.runs.length };
    this.runs.push({
      ...facts,
      state: 'queued',
      fence: 0,
      host: '',
      endedAt: Infinity,
      isCancelRequested: false,
    });
  }

  claim(
    now: number,
    limit: number,
    host: string,
  ): { readonly claimed: string[]; readonly expired: string[]; readonly nextAt: number | undefined } {
    const expired = this.runs.filter((run) => run.state === 'queued' && run.deadlineAt <= now);
    for (const run of expired) Object.assign(run, { state: 'timed-out', endedAt: now });
    const claimed: string[] = [];
    const due = this.runs.filter((run) => run.state === 'queued' && run.availableAt <= now);
    for (const run of due.toSorted((a, b) => b.priority - a.priority || a.order - b.order)) {
      const busy = this.runs.filter(({ state, key }) => state === 'running' && key === run.key).length;
      if (claimed.length >= limit || (run.key !== undefined && busy >= this.#maxPerKey)) continue;
      Object.assign(run, { state: 'running', host, fence: run.fence + 1 });
      claimed.push(run.id);
    }
    const queued = this.runs.filter((run) => run.state === 'queued');
    const moments = queued.flatMap((run) => [run.availableAt, run.deadlineAt]).filter((at) => at > now);
    const nextAt = Math.min(...moments);
    return {
      claimed,
      expired: expired.map(({ id }) => id),
      nextAt: nextAt === Infinity ? undefined : nextAt,
    };
  }

  settle(
    id: string,
    fence: number,
    now: number,
    outcome: RunState | 'stopped',
    retryAt: number | undefined,
  ): string {
    const run = this.find(id);
    if (run === undefined) return 'RUN_NOT_FOUND';
    if (run.state !== 'running' || run.fence !== fence) return 'STALE_ATTEMPT';
    if (run.isCancelRequested) Object.assign(run, { state: 'cancelled', endedAt: now });
    else if (outcome === 'stopped') Object.assign(run, { state: 'queued', availableAt: retryAt ?? now });
    else if (retryAt !== undefined) Object.assign(run, { state: 'queued', availableAt: retryAt });
    else Object.assign(run, { state: outcome, endedAt: now });
    return 'done';
  }

  cancel(id: string, now: number): string {
    const run = this.find(id);
    if (run === undefined) return 'RUN_NOT_FOUND';
    if (run.state === 'queued') Object.assign(run, { state: 'cancelled', endedAt: now });
    if (run.state === 'running') run.isCancelRequested = true;
    return 'done';
  }

  remove(endedBefore: number, limit: number): readonly string[] {
    const old = this.runs
      .filter((run) => run.state !== 'removed' && run.endedAt < endedBefore)
      .toSorted((a, b) => a.endedAt - b.endedAt || a.order - b.order)
      .slice(0, limit);
    for (const run of old) run.state = 'removed';
    return old.map(({ id }) => id);
  }

  orphaned(host: string): readonly string[] {
    return this.runs.filter((run) => run.state === 'running' && run.host !== host).map(({ id }) => id);
  }
}

/** The code of what a call is rejected with, or `done`. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'done';
  } catch (error) {
    if (hasCode(error, 'STALE_ATTEMPT', 'RUN_NOT_FOUND')) return error.code;
    throw error;
  }
}

function pick<const Choice>(random: Random, choices: readonly Choice[]): Choice {
  return choices[Math.floor(random() * choices.length)] as Choice;
}
