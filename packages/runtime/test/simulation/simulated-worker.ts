// A worker without a process: the pool's side is what the pool knows as WorkerProcess, the far side behaves, or
// misbehaves, as a plan says. Between them are two real connections over a transport in memory; time is a manual clock.
import { type Clock, createDeferred, onAbort } from '@pawl/core';
import { createConnection, memoryTransportPair, noAnswer, type WorkerFeature } from '@pawl/ipc';
import { type WorkerEnd, WorkerStartError } from '../../src/process/worker-errors.ts';
import type { Pong } from '../../src/process/worker-control.ts';
import type { WorkerProcess } from '../../src/process/worker-process.ts';
import type { CreateWorker } from '../../src/process/worker-launch.ts';

/** What a run does once it is executed; its input. */
export interface Behaviour {
  /** How long it takes, in milliseconds; 0 is at once. */
  readonly ms?: number;
  /**
   * How it ends. `stubborn` never heeds a cancel, `hang` heeds it but never ends by itself. `freeze` stops the whole
   * process, as SIGSTOP does: it answers nothing, and only SIGKILL ends it.
   */
  readonly how?: 'return' | 'throw' | 'crash' | 'exit' | 'hang' | 'stubborn' | 'spin' | 'freeze';
  /** Chunks it sends, waiting for credit. */
  readonly chunks?: number;
  /** Progress reports it sends before anything else. */
  readonly reports?: number;
}

/** How a worker itself behaves. */
export interface WorkerPlan {
  readonly bootMs: number;
  readonly start: 'ready' | 'dies' | 'hangs';
  /** Dies of nothing so long after it was ready, in milliseconds. */
  readonly diesAfterMs: number;
  /** Stands still from so long after it was ready, in milliseconds. */
  readonly freezesAfterMs: number;
  /** Needs SIGKILL. */
  readonly ignoresTerm: boolean;
  readonly rssBytes: number;
}

export const GOOD_PLAN: WorkerPlan = {
  bootMs: 10,
  start: 'ready',
  diesAfterMs: Infinity,
  freezesAfterMs: Infinity,
  ignoresTerm: false,
  rssBytes: 50_000_000,
};

export interface World {
  readonly clock: Clock;
  readonly features: readonly WorkerFeature[];
  readonly plan: () => WorkerPlan;
  /** Told of each run that a worker executes. */
  readonly onExecute?: (runId: string, attempt: number, workerId: string) => void;
  /** Workers whose process lives, by id. */
  readonly alive: Map<string, SimulatedProcess>;
}

/** The far side. */
export interface SimulatedProcess {
  readonly pid: number;
  /** Runs that wait in it. */
  readonly waiting: number;
  die(end: Pick<WorkerEnd, 'exitCode' | 'signal'>, stderr?: string): void;
}

interface FarRun {
  readonly id: number;
  readonly runId: string;
  readonly attempt: number;
  readonly behaviour: Behaviour;
  credit: number;
  onCredit: (() => void) | undefined;
  begin(): void;
  giveBack(): void;
}

export function simulatedWorkers(world: World): CreateWorker {
  let lastPid = 1_000;
  return (options) => {
    lastPid += 1;
    const runsAtOnce = world.features.includes('concurrent') ? options.runsAtOnce : 1;
    return createSimulatedWorker(world, options.id, lastPid, runsAtOnce);
  };
}

function createSimulatedWorker(world: World, id: string, pid: number, runsAtOnce: number): WorkerProcess {
  const { clock } = world;
  const plan = world.plan();
  const startedAt = clock.now();
  const ended = createDeferred<WorkerEnd>();
  const [near, far] = memoryTransportPair();
  const waiting: FarRun[] = [];
  const executing = new Map<number, FarRun>();
  let phase: WorkerEnd['phase'] = 'start';
  let isLost = false;
  let isDraining = false;
  let isFrozen = false;
  let runsDone = 0;
  let farDone = 0;
  let spinningSince: number | undefined;

  function die(end: Pick<WorkerEnd, 'exitCode' | 'signal'>, stderrTail = ''): void {
    if (isLost) return;
    isLost = true;
    world.alive.delete(id);
    far.break();
    const report: WorkerEnd = {
      workerId: id,
      pid,
      ...end,
      phase,
      stderrTail,
      stdoutHead: '',
      ageMs: clock.now() - startedAt,
      runsDone,
    };
    // The pipes are read to their end first.
    clock.setTimer(1, () => ended.resolve(report));
  }

  function takeNext(): FarRun | undefined {
    return executing.size < runsAtOnce && !isLost && !isFrozen && spinningSince === undefined
      ? waiting.shift()
      : undefined;
  }

  function startNext(): void {
    for (let run = takeNext(); run !== undefined; run = takeNext()) {
      executing.set(run.id, run);
      world.onExecute?.(run.runId, run.attempt, id);
      run.begin();
    }
    if (isDraining && executing.size === 0 && waiting.length === 0) die({ exitCode: 0, signal: null });
  }

  const farSide = createConnection(far, {
    clock,
    methods: {
      run(params, context) {
        const {
          input,
          runId,
          attempt,
          credit = 0,
        } = params as {
          readonly input: Behaviour | null;
          readonly runId: string;
          readonly attempt: number;
          readonly credit?: number;
        };
        const behaviour = input ?? {};
        return new Promise((resolve, reject) => {
          const settle = (fn: () => void): void => {
            executing.delete(context.id);
            farDone += 1;
            // The next begins once the answer is out, so that a crash can't take along what has ended.
            context.follow({ answered: startNext });
            fn();
          };
          const finish = (): void => {
            if (isLost || isFrozen || !executing.has(context.id)) return;
            switch (behaviour.how ?? 'return') {
              case 'return':
                settle(() => resolve(behaviour.ms ?? 0));
                break;
              case 'throw':
                settle(() => reject(new Error('It was told to.')));
                break;
              case 'crash':
                die({ exitCode: null, signal: 'SIGSEGV' });
                break;
              case 'exit':
                die({ exitCode: 0, signal: null });
                break;
              case 'hang':
              case 'spin':
              case 'stubborn':
              case 'freeze':
                break;
            }
          };
          const stream = async (): Promise<void> => {
            for (let seq = 0; seq < (behaviour.chunks ?? 0); seq += 1) {
              while (run.credit === 0 && !context.signal.aborted) {
                await new Promise<void>((woken) => (run.onCredit = woken));
              }
              run.credit -= 1;
              await context.notify('chunk', { seq, data: seq }).catch(() => undefined);
            }
          };
          const run: FarRun = {
            id: context.id,
            runId,
            attempt,
            behaviour,
            credit,
            onCredit: undefined,
            begin() {
              if (behaviour.how === 'spin') spinningSince = clock.now();
              if (behaviour.how === 'freeze') isFrozen = true;
              for (let step = 1; step <= (behaviour.reports ?? 0); step += 1) {
                void context.notify('progress', { step }).catch(() => undefined);
              }
              if (behaviour.how !== 'stubborn' && behaviour.how !== 'spin' && behaviour.how !== 'freeze') {
                context.signal.addEventListener('abort', () => {
                  run.onCredit?.();
                  if (!isLost && !isFrozen && executing.has(context.id))
                    settle(() => reject(new Error('Cancelled.')));
                });
              }
              void stream().then(() => {
                if ((behaviour.ms ?? 0) === 0) finish();
                else clock.setTimer(behaviour.ms ?? 0, finish);
              });
            },
            giveBack: () => resolve(noAnswer),
          };
          waiting.push(run);
          startNext();
        });
      },
      withdraw(params) {
        if (isFrozen) return noAnswer;
        const { ids } = params as { readonly ids: readonly number[] };
        const withdrawn: number[] = [];
        for (const each of ids) {
          const index = waiting.findIndex((run) => run.id === each);
          if (index === -1) continue;
          waiting.splice(index, 1)[0]?.giveBack();
          withdrawn.push(each);
        }
        return { withdrawn };
      },
      ping: (): Partial<Pong> | typeof noAnswer =>
        isFrozen
          ? noAnswer
          : {
              pid,
              rssBytes: plan.rssBytes,
              runsActive: executing.size + waiting.length,
              runsDone: farDone,
              lagMs: spinningSince === undefined ? 0 : clock.now() - spinningSince,
            },
    },
    notifications: {
      credit(params) {
        const { id: about, n } = params as { readonly id: number; readonly n: number };
        const run = executing.get(about);
        if (run === undefined) return;
        run.credit += n;
        run.onCredit?.();
      },
      shutdown() {
        if (isFrozen) return;
        isDraining = true;
        startNext();
      },
    },
  });
  farSide.on('protocol:malformed', () => undefined);
  const nearSide = createConnection(near, { clock });

  return {
    id,
    pid,
    hello: undefined,
    start(signal) {
      world.alive.set(id, {
        pid,
        get waiting() {
          return waiting.length;
        },
        die,
      });
      return new Promise((resolve, reject) => {
        const fail = (cause: Error, end: Pick<WorkerEnd, 'exitCode' | 'signal'>): void => {
          die(end);
          void ended.promise.then((report) => reject(new WorkerStartError(report, cause)));
        };
        const stopListening = onAbort(signal, () =>
          fail(new Error('It was stopped.'), { exitCode: null, signal: 'SIGKILL' }),
        );
        const waitMs = plan.start === 'hangs' ? 10_000 : plan.bootMs;
        clock.setTimer(waitMs, () => {
          stopListening();
          if (plan.start !== 'ready') fail(new Error('It does not start.'), { exitCode: 1, signal: null });
          else if (isLost) fail(new Error('It was not needed.'), { exitCode: null, signal: 'SIGKILL' });
          else {
            phase = 'idle';
            clock.setTimer(plan.diesAfterMs, () => die({ exitCode: 7, signal: null }));
            clock.setTimer(plan.freezesAfterMs, () => (isFrozen = true));
            resolve({
              protocol: { min: 1, max: 1 },
              name: 'simulated',
              language: 'none',
              version: '1',
              pid,
              tasks: [],
              features: world.features,
            });
          }
        });
      });
    },
    call: (params, listener) => nearSide.ask('run', params, listener),
    grantCredit: (call, n) => void nearSide.notify('credit', { id: call.id, n }).catch(() => undefined),
    async withdraw(calls) {
      const ids = calls.map((call) => call.id);
      const answer = await nearSide.request('withdraw', { ids }).catch(() => ({ withdrawn: [] }));
      nearSide.withdrawn((answer as { readonly withdrawn: readonly number[] }).withdrawn);
    },
    ping: async ({ timeoutMs }) => (await nearSide.request('ping', undefined, { timeoutMs })) as Pong,
    stack: () => Promise.resolve(undefined),
    cpuMs: () => undefined,
    settleOutput: () => Promise.resolve(),
    stop(graceMs, killGraceMs) {
      if (phase === 'start') die({ exitCode: null, signal: 'SIGKILL' });
      else {
        if (phase === 'idle') phase = 'stop';
        nearSide.notify('shutdown', { graceMs }).catch(() => undefined);
        const terminate = (): void => {
          if (!plan.ignoresTerm && !isFrozen) die({ exitCode: null, signal: 'SIGTERM' });
          else clock.setTimer(killGraceMs, () => die({ exitCode: null, signal: 'SIGKILL' }));
        };
        clock.setTimer(graceMs, terminate);
      }
      return ended.promise;
    },
    ended: ended.promise,
    get isLost() {
      return isLost;
    },
    setPhase(to) {
      phase = to;
    },
    countRun() {
      runsDone += 1;
    },
    get runsDone() {
      return runsDone;
    },
    ref: () => undefined,
    unref: () => undefined,
  };
}
