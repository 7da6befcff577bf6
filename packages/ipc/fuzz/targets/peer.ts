import { strict as assert } from 'node:assert';
import { createManualClock } from '@pawl/core/testing';
import { type Connection, createConnection, memoryTransportPair } from '@pawl/ipc';
import * as fc from 'fast-check';
import type { Target } from '../target.ts';

const MAX_MESSAGE_BYTES = 500;

const pick = fc.nat({ max: 30 });

/** What the host does, and what a peer does that is played in bytes. `pick` chooses among the requests so far. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      timeoutMs: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
      signal: fc.boolean(),
    }),
  },
  {
    weight: 6,
    // To any request, so also late, and again.
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      pick,
      how: fc.constantFrom('result', 'error', 'odd error', 'too long'),
      cutAt: fc.nat({ max: 60 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('progress' as const, 'abort' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stray' as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 40 }) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;
type StepOf<Name extends Step['do']> = Extract<Step, { readonly do: Name }>;

const ends = [
  'exits',
  'is killed while it writes',
  'fails',
  'hangs until the host stops',
  'is stopped',
] as const;
type End = (typeof ends)[number];

/** Lines that are nobody's answer, and which event each is to cause. */
const STRAY: readonly (readonly [bytes: string, event: string])[] = [
  ['print', 'malformed'],
  ['\0', 'malformed'],
  ['{"jsonrpc":"2.0","id":1}', 'malformed'],
  ['{"jsonrpc":"2.0","id":"1","result":1}', 'malformed'],
  ['[{"jsonrpc":"2.0","id":1,"result":1}]', 'malformed'],
  ['{"jsonrpc":"2.0","id":99999,"result":1}', 'unknown-response'],
  ['{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}', 'unknown-response'],
];

/** One request, as it is and as it has to be. */
interface Tracked {
  readonly id: number;
  readonly controller: AbortController | undefined;
  readonly gaveUpAtMs: number;
  readonly outcomes: string[];
  readonly progress: unknown[];
  readonly expectedProgress: number[];
  expected: string | undefined;
}

/** Plays a schedule step by step, and tells before each what has to come of it. */
class Schedule {
  readonly #clock = createManualClock();
  readonly #pair = memoryTransportPair({ maxMessageBytes: MAX_MESSAGE_BYTES });
  readonly #host: Connection;
  readonly #requests: Tracked[] = [];
  /** Requests that were not answered. One that gave up is still among them. */
  readonly #unanswered = new Set<number>();
  readonly #events: string[] = [];
  readonly #expectedEvents: string[] = [];

  constructor(create: typeof createConnection) {
    this.#host = create(this.#pair[0], { clock: this.#clock });
    this.#host.onAny((name) => this.#events.push(name.replace('protocol:', '')));
    this.#pair[1].start({
      onMessage: () => undefined,
      onMalformed: ({ reason }) => assert.fail(`the host sent a line that is ${reason}`),
      onClose: () => undefined,
    });
  }

  async play(steps: readonly Step[], end: End): Promise<void> {
    for (const each of steps) {
      await this.#act(each);
      await this.#clock.settle();
      this.#compare();
    }
    await this.#end(end);
    await this.#clock.settle();
    this.#compare();
    // Behind the end nothing counts any more.
    this.#say(1, '"result":"behind"');
    this.#request({ do: 'request', timeoutMs: 5, signal: true });
    await this.#clock.advance(100);
    for (const { controller } of this.#requests) controller?.abort('behind');
    await this.#clock.settle();
    assert.deepEqual(this.#requests.at(-1)?.outcomes, [this.#closedAs(end)]);
    assert.deepEqual(this.#events, this.#expectedEvents);
    assert.ok(this.#requests.every(({ outcomes }) => outcomes.length === 1));
    assert.deepEqual([this.#host.openRequests, this.#clock.pendingTimers], [0, 0]);
  }

  #compare(): void {
    for (const { outcomes, expected, progress, expectedProgress } of this.#requests) {
      assert.deepEqual(outcomes, expected === undefined ? [] : [expected]);
      assert.deepEqual(progress, expectedProgress);
    }
    assert.deepEqual(this.#events, this.#expectedEvents);
  }

  #act(what: Step): Promise<void> | void {
    switch (what.do) {
      case 'request':
        return this.#request(what);
      case 'answer':
        return this.#answer(what);
      case 'progress':
        return this.#progress(this.#at(what.pick));
      case 'abort':
        return this.#abort(this.#at(what.pick));
      case 'stray':
        return this.#stray(what.pick);
      case 'advance':
        return this.#advance(what.ms);
    }
  }

  #request({ timeoutMs, signal }: StepOf<'request'>): void {
    const controller = signal ? new AbortController() : undefined;
    const tracked: Tracked = {
      id: this.#requests.length + 1,
      controller,
      gaveUpAtMs: timeoutMs === undefined ? Infinity : this.#clock.now() + timeoutMs,
      outcomes: [],
      progress: [],
      expectedProgress: [],
      expected: undefined,
    };
    const response = this.#host.request('run', undefined, {
      signal: controller?.signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      onNotification: (_, params) => tracked.progress.push(params['at']),
    });
    response.then(
      (result) => tracked.outcomes.push(`result ${String(result)}`),
      (error: unknown) => tracked.outcomes.push(outcomeOf(error)),
    );
    this.#requests.push(tracked);
    this.#unanswered.add(tracked.id);
  }

  async #answer({ pick: index, how, cutAt }: StepOf<'answer'>): Promise<void> {
    const tracked = this.#at(index);
    if (tracked === undefined) return;
    const { id } = tracked;
    const wasOpen = this.#unanswered.delete(id);
    if (how === 'too long') this.#expectedEvents.push('malformed');
    else if (!wasOpen) this.#expectedEvents.push('unknown-response');
    if (wasOpen) tracked.expected ??= OUTCOMES[how]?.(id);
    const frame = frameOf(id, ANSWERS[how] ?? '');
    this.#pair[1].inject(frame.slice(0, cutAt));
    await this.#clock.settle();
    this.#pair[1].inject(frame.slice(cutAt));
  }

  #progress(tracked: Tracked | undefined): void {
    if (tracked === undefined) return;
    const at = tracked.expectedProgress.length;
    this.#pair[1].inject(
      `${JSON.stringify({ jsonrpc: '2.0', method: 'progress', params: { id: tracked.id, at } })}\n`,
    );
    if (tracked.expected === undefined) tracked.expectedProgress.push(at);
  }

  #abort(tracked: Tracked | undefined): void {
    if (tracked?.controller === undefined) return;
    tracked.controller.abort('enough');
    tracked.expected ??= 'aborted';
  }

  #stray(index: number): void {
    const [bytes, event] = STRAY[index % STRAY.length] ?? ['', ''];
    this.#pair[1].inject(`${bytes}\n`);
    this.#expectedEvents.push(event);
  }

  async #advance(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    for (const tracked of this.#requests) {
      if (tracked.gaveUpAtMs <= this.#clock.now()) tracked.expected ??= 'timed out';
    }
  }

  async #end(end: End): Promise<void> {
    const far = this.#pair[1];
    if (end === 'exits') await far.close();
    else if (end === 'fails') far.break(new Error('cut'));
    else if (end === 'is killed while it writes') {
      far.inject(frameOf(1, '"result":1').slice(0, -1));
      far.break();
      this.#expectedEvents.push('malformed');
    } else {
      if (end === 'hangs until the host stops') await this.#advance(10_000);
      await this.#host.close();
    }
    for (const tracked of this.#requests) tracked.expected ??= this.#closedAs(end);
    this.#unanswered.clear();
  }

  #closedAs(end: End): string {
    if (end === 'fails') return 'closed: failed';
    return end === 'exits' || end === 'is killed while it writes' ? 'closed: ended' : 'closed: closed';
  }

  #say(id: number, body: string): void {
    this.#pair[1].inject(frameOf(id, body));
  }

  #at(index: number): Tracked | undefined {
    return this.#requests[index % Math.max(1, this.#requests.length)];
  }
}

const ANSWERS: Readonly<Record<string, string>> = {
  result: '"result":"fine"',
  error: '"error":{"code":-32000,"message":"boom"}',
  'odd error': '"error":{"code":7,"message":"","data":{"cause":[],"errors":3,"name":{},"fields":"x"}}',
  'too long': `"result":"${'x'.repeat(MAX_MESSAGE_BYTES)}"`,
};

const OUTCOMES: Readonly<Record<string, (id: number) => string>> = {
  result: () => 'result fine',
  error: () => 'failed -32000',
  'odd error': () => 'failed 7',
  'too long': () => 'failed -32005',
};

function frameOf(id: number, body: string): string {
  return `{"jsonrpc":"2.0","id":${id},${body}}\n`;
}

function outcomeOf(error: unknown): string {
  if (error === 'enough' || error === 'behind') return 'aborted';
  const { code, rpcCode, reason } = error as { code: string; rpcCode?: number; reason?: string };
  if (code === 'CONNECTION_CLOSED') return `closed: ${reason}`;
  return code === 'REQUEST_TIMEOUT' ? 'timed out' : `failed ${rpcCode}`;
}

/** @param create what is looked at, for tests that put a faulty one in its place */
export function peerTargets(create: typeof createConnection = createConnection): readonly Target[] {
  return [
    {
      name: 'connection.peer',
      says: 'settles each request exactly once, and as it should, whatever its peer does and however it ends',
      property: fc.asyncProperty(
        fc.array(step, { maxLength: 60, size: 'max' }),
        fc.constantFrom(...ends),
        (steps, end) => new Schedule(create).play(steps, end),
      ),
    },
  ];
}
