import { strict as assert } from 'node:assert';
import { createManualClock } from '@pawl/core/testing';
import { createConnection, memoryTransportPair, type MethodHandler } from '@pawl/ipc';
import * as fc from 'fast-check';
import { HOSTILE, type Side, type Step, step } from '../connection-steps.ts';
import type { Target } from '../target.ts';

/** What is known of one request from outside: how often and how it settled, and what its far side was told. */
interface Tracked {
  readonly key: string;
  readonly controller: AbortController;
  readonly gaveUpAtMs: number;
  readonly cancel: (() => void) | undefined;
  settled: number;
  outcome: string | undefined;
  answeredWith: string | undefined;
  aborted: boolean;
  progress: number[];
  progressAfterSettle: number;
}

function at<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
}

async function play(steps: readonly Step[]): Promise<void> {
  const clock = createManualClock();
  const [ta, tb] = memoryTransportPair({ maxMessageBytes: 5_000 });
  const transports = { a: ta, b: tb };
  // The requests that each side is answering, by the key they carry.
  const running = { a: [] as Running[], b: [] as Running[] };
  interface Running {
    readonly key: string;
    readonly resolve: (value: unknown) => void;
    readonly reject: (error: Error) => void;
    readonly notify: (n: number) => Promise<void>;
    sent: number;
  }
  const started = new Map<string, number>();
  const methodOf =
    (on: Side): MethodHandler =>
    (params, context) => {
      const { key } = params as { key: string };
      started.set(key, (started.get(key) ?? 0) + 1);
      return new Promise((resolve, reject) => {
        running[on].push({
          key,
          resolve,
          reject,
          sent: 0,
          notify: (n) => context.notify('progress', { n }).catch(() => undefined),
        });
      });
    };
  const connections = {
    a: createConnection(ta, { clock, methods: { run: methodOf('a') } }),
    b: createConnection(tb, { clock, methods: { run: methodOf('b') } }),
  };
  const requests = new Map<string, Tracked>();
  const mine = { a: [] as Tracked[], b: [] as Tracked[] };
  let ended = false;
  let open: readonly Tracked[] = [];

  function take(on: Side, index: number): Running | undefined {
    const call = at(running[on], index);
    if (call !== undefined) running[on].splice(running[on].indexOf(call), 1);
    return call;
  }

  function ask(by: Side, timeoutMs: number | undefined, withSignal: boolean): void {
    const key = `${by}${mine[by].length}`;
    const controller = new AbortController();
    const onNotification = (_: string, params: Readonly<Record<string, unknown>>): void => {
      tracked.progress.push(params['n'] as number);
      if (tracked.settled > 0) tracked.progressAfterSettle += 1;
    };
    const bare = !withSignal && timeoutMs === undefined;
    const call = bare ? connections[by].call('run', { key }, { onNotification }) : undefined;
    const response =
      call?.response ??
      connections[by].request(
        'run',
        { key },
        {
          onNotification,
          ...(withSignal ? { signal: controller.signal } : {}),
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
        },
      );
    const tracked: Tracked = {
      key,
      controller,
      gaveUpAtMs: timeoutMs === undefined ? Infinity : clock.now() + timeoutMs,
      cancel: call === undefined ? undefined : () => call.cancel('enough'),
      settled: 0,
      outcome: undefined,
      answeredWith: undefined,
      aborted: false,
      progress: [],
      progressAfterSettle: 0,
    };
    const settle = (outcome: string): void => {
      tracked.settled += 1;
      tracked.outcome = outcome;
    };
    response.then(
      (value) => settle(`ok ${String(value)}`),
      (error: unknown) => settle(outcomeOf(error)),
    );
    requests.set(key, tracked);
    mine[by].push(tracked);
  }

  function answer(call: Running, how: string, value: unknown): void {
    const tracked = requests.get(call.key);
    if (tracked !== undefined) tracked.answeredWith = how;
    if (value instanceof Error) call.reject(value);
    else call.resolve(value);
  }

  const actions: { [Name in Step['do']]: (what: Extract<Step, { readonly do: Name }>) => unknown } = {
    request: ({ side: by, timeoutMs, signal }) => ask(by, timeoutMs, signal),
    answer: ({ side: on, pick: index }) => {
      const call = take(on, index);
      if (call !== undefined) answer(call, `ok ${call.key}`, call.key);
    },
    fail: ({ side: on, pick: index }) => {
      const call = take(on, index);
      if (call !== undefined) answer(call, `failed ${call.key}`, failure(call.key, index));
    },
    answerUnsendable: ({ side: on, pick: index }) => {
      const call = take(on, index);
      if (call !== undefined) answer(call, 'unsendable', index % 2 === 0 ? { big: 1n } : 'x'.repeat(10_000));
    },
    notify: ({ side: on, pick: index }) => {
      const call = at(running[on], index);
      if (call !== undefined) void call.notify((call.sent += 1));
    },
    abort: ({ side: by, pick: index }) => {
      const tracked = at(mine[by], index);
      if (tracked === undefined) return;
      tracked.aborted = true;
      tracked.controller.abort(`aborted ${tracked.key}`);
    },
    cancel: ({ side: by, pick: index }) => at(mine[by], index)?.cancel?.(),
    inject: ({ side: by, pick: index }) => {
      const bytes = at(HOSTILE, index) ?? '';
      // Followed by a newline of its own, so that it costs itself and no frame behind it.
      transports[by].inject(`${bytes}\n`);
    },
    advance: ({ ms }) => clock.advance(ms),
    settle: () => clock.settle(),
    close: ({ side: by }) => {
      ended = true;
      return connections[by].close();
    },
    break: ({ side: by }) => {
      ended = true;
      transports[by].break();
    },
  };
  const act = (what: Step): unknown => (actions[what.do] as (what: Step) => unknown)(what);

  for (const each of steps) await act(each);
  // Half of the schedules end with everything answered, the others with everything left open.
  if (steps.length % 2 === 0) {
    await clock.settle();
    for (const on of ['a', 'b'] as const) {
      for (const call of running[on].splice(0)) answer(call, `ok ${call.key}`, call.key);
    }
    await clock.settle();
    open = ended ? [] : [...requests.values()].filter(({ settled }) => settled === 0);
  }
  assert.deepEqual(open, []);
  await connections.a.close();
  await clock.settle();

  for (const tracked of requests.values()) {
    assert.equal(tracked.settled, 1, tracked.key);
    assert.equal(tracked.progressAfterSettle, 0);
    assert.deepEqual(
      tracked.progress,
      tracked.progress.map((_, index) => index + 1),
    );
    const allowed = ['closed'];
    if (tracked.answeredWith !== undefined) allowed.push(tracked.answeredWith);
    if (tracked.aborted) allowed.push(`aborted ${tracked.key}`);
    if (tracked.gaveUpAtMs <= clock.now()) allowed.push('timed out');
    assert.ok(allowed.includes(tracked.outcome ?? ''), `${tracked.outcome} is none of ${allowed.join(', ')}`);
    assert.ok((started.get(tracked.key) ?? 0) <= 1, 'a request was begun twice');
  }
  assert.deepEqual([connections.a.openRequests, connections.b.openRequests, clock.pendingTimers], [0, 0, 0]);
}

/** Every other one carries more than a frame may. */
function failure(message: string, index: number): Error {
  return index % 2 === 0
    ? new Error(message)
    : Object.assign(new Error(message), { blob: 'x'.repeat(10_000) });
}

function outcomeOf(error: unknown): string {
  if (typeof error === 'string') return error;
  const { code, rpcCode, message } = error as { code: string; rpcCode?: number; message: string };
  if (code === 'CONNECTION_CLOSED') return 'closed';
  if (code === 'REQUEST_TIMEOUT') return 'timed out';
  return rpcCode === -32_005 ? 'unsendable' : `failed ${message}`;
}

export const connectionTargets: readonly Target[] = [
  {
    name: 'connection.schedules',
    says: 'settles every request of two connections exactly once, as answered, aborted, timed out or closed',
    property: fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), play),
  },
];
