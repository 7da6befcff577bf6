// One random life of a pool, the same for the same seed: simulated workers on a manual clock, which boot or don't, crash,
// hang, exit, refuse to die; and a schedule of submits, cancels, kills, scalings, streams and maps, then a stop. After each
// step the rules that a pool keeps are checked.
import { type Random, seededRandom } from '@pawl/core';
import { createManualClock, type ManualClock } from '@pawl/core/testing';
import type { WorkerFeature } from '@pawl/ipc';
import type { PoolOptions, ProcessPool, RunOptions } from '../../src/index.ts';
import { resolvePoolOptions } from '../../src/process/pool-options.ts';
import { createPoolOf } from '../../src/process/pool-assembly.ts';
import { balancers } from '../../src/scheduling/balancing/balancers.ts';
import { type Behaviour, simulatedWorkers, type WorkerPlan, type World } from './simulated-worker.ts';

export interface SimulationReport {
  readonly seed: number;
  readonly steps: number;
  readonly runs: number;
  readonly workers: number;
  /** What happened, a line for each event: equal for equal seeds. */
  readonly log: readonly string[];
}

/** A rule that was broken, with what led to it. */
class BrokenRuleError extends Error {
  readonly seed: number;
  readonly log: readonly string[];

  constructor(seed: number, step: number, rule: string, log: readonly string[]) {
    super(`Seed ${seed}, step ${step}: ${rule}\nReplay it: npm run simulate -- --seed ${seed}`);
    this.name = 'BrokenRuleError';
    this.seed = seed;
    this.log = log;
  }
}

/** Draws from a seeded source. */
interface Dice {
  chance(share: number): boolean;
  below(limit: number): number;
  pick<T>(choices: readonly [T, ...T[]]): T;
}

function createDice(random: Random): Dice {
  const below = (limit: number): number => Math.floor(random() * limit);
  return {
    chance: (share) => random() < share,
    below,
    pick: (choices) => choices[below(choices.length)] ?? choices[0],
  };
}

function drawPlan(dice: Dice): WorkerPlan {
  const luck = dice.below(100);
  return {
    bootMs: 1 + dice.below(60),
    start: luck < 8 ? 'dies' : luck < 12 ? 'hangs' : 'ready',
    diesAfterMs: dice.chance(0.1) ? dice.below(300) : Infinity,
    freezesAfterMs: dice.chance(0.05) ? dice.below(300) : Infinity,
    ignoresTerm: dice.chance(0.2),
    rssBytes: dice.below(200) * 1_000_000,
  };
}

function drawOptions(dice: Dice): Partial<PoolOptions> & { readonly maxWorkers: number } {
  const maxWorkers = 1 + dice.below(4);
  return {
    maxWorkers,
    minWorkers: dice.below(Math.min(3, maxWorkers + 1)),
    spareWorkers: dice.pick([0, 0, 1]),
    runsPerWorker: dice.pick([1, 1, 1, 3]),
    prefetch: dice.pick(['auto', 'auto', false, 1, 8] as const),
    maxRunsPerWorker: dice.pick([Infinity, Infinity, 1, 5, 40]),
    maxWorkerAgeMs: dice.pick([Infinity, Infinity, 400]),
    maxWorkerRssBytes: dice.pick([Infinity, Infinity, 150_000_000]),
    idleTimeoutMs: dice.pick([100, 5_000]),
    maxQueue: dice.pick([0, 3, 20, Infinity]),
    overflow: dice.pick(['reject', 'wait', 'drop-oldest'] as const),
    ageingMs: dice.pick([50, Infinity]),
    runTimeoutMs: dice.pick([200, 2_000]),
    timeoutFrom: dice.pick(['start', 'submit'] as const),
    cancelGraceMs: dice.pick([0, 50]),
    killGraceMs: dice.pick([0, 50]),
    startTimeoutMs: 5_000,
    heartbeatMs: 1_000,
    maxCrashes: dice.pick([1, 2, 5]),
    ...(dice.chance(0.3) ? { balancer: dice.pick([balancers.roundRobin, balancers.powerOfTwo]) } : {}),
    restart: { maxRestarts: dice.pick([0, 3, Infinity]), withinMs: dice.pick([100, 1_000]) },
  };
}

function drawBehaviour(dice: Dice): Behaviour {
  const how = dice.pick([
    'return',
    'return',
    'return',
    'return',
    'return',
    'return',
    'throw',
    'crash',
    'exit',
    'hang',
    'stubborn',
    'spin',
    'freeze',
  ] as const);
  return {
    how,
    ms: dice.pick([0, 0, 0, 0, dice.below(5), dice.below(100), dice.below(1_000)]),
    ...(dice.chance(0.1) ? { reports: 1 + dice.below(50) } : {}),
  };
}

const FEATURES: readonly [readonly WorkerFeature[], ...(readonly WorkerFeature[])[]] = [
  ['cancel', 'progress', 'stream', 'queue', 'control'],
  ['cancel', 'progress', 'stream', 'queue', 'control', 'concurrent'],
  ['cancel', 'stream'],
];

/** @throws BrokenRuleError */
export async function simulate(seed: number): Promise<SimulationReport> {
  const random = seededRandom(seed);
  const dice = createDice(random);
  const clock = createManualClock();
  const log: string[] = [];
  const executions = new Map<string, number>();
  // Ids that the pool makes begin with chance of its own.
  const note = (line: string): void =>
    void log.push(`${clock.now().toFixed(3)} ${line.replaceAll(/\b[0-9a-f]{8}-/g, 'pool-')}`);
  const world: World = {
    clock,
    features: dice.pick(FEATURES),
    plan: () => drawPlan(dice),
    alive: new Map(),
    onExecute(runId, attempt, workerId) {
      const name = `${runId}/${attempt}`;
      executions.set(name, (executions.get(name) ?? 0) + 1);
      note(`${name} executed on ${workerId}`);
    },
  };
  const options = drawOptions(dice);
  note(JSON.stringify(options));
  const pool = createPoolOf(
    resolvePoolOptions({ ...options, worker: { command: 'simulated' }, clock, random }),
    { createWorker: simulatedWorkers(world), stop: () => Promise.resolve() },
  );
  const life = createLife({ seed, dice, clock, pool, world, note, log, executions, ...limitsOf(options) });
  const steps = 30 + dice.below(90);
  for (let step = 1; step <= steps; step += 1) {
    life.act();
    if (dice.chance(0.6)) await clock.advance(dice.pick([0, 1, 4, 20, 150]));
    await clock.settle();
    life.check(step);
  }
  await life.end(steps + 1);
  return { seed, steps, runs: life.runs, workers: life.workers, log };
}

interface Limits {
  readonly maxWorkers: number;
  readonly runsPerWorker: number;
  readonly maxQueue: number;
  readonly isBounded: boolean;
}

function limitsOf(options: Partial<PoolOptions> & { readonly maxWorkers: number }): Limits {
  const { maxWorkers, runsPerWorker = 1, maxQueue = Infinity, overflow } = options;
  return { maxWorkers, runsPerWorker, maxQueue, isBounded: overflow !== 'wait' };
}

interface LifeOptions extends Limits {
  readonly seed: number;
  readonly dice: Dice;
  readonly clock: ManualClock;
  readonly pool: ProcessPool;
  readonly world: World;
  readonly note: (line: string) => void;
  readonly log: readonly string[];
  /** How often each attempt of each run was executed. */
  readonly executions: ReadonlyMap<string, number>;
}

interface Life {
  readonly runs: number;
  readonly workers: number;
  act(): void;
  /** @throws BrokenRuleError */
  check(step: number): void;
  end(step: number): Promise<void>;
}

function createLife(options: LifeOptions): Life {
  const { seed, dice, clock, pool, world, note, executions } = options;
  const controllers: AbortController[] = [];
  const attempts = new Map<string, number>();
  const ends = new Map<string, number>();
  let submitted = 0;
  let settled = 0;
  let ended = 0;
  let delays = 0;
  let loops = 0;
  let loopsEnded = 0;
  let workers = 0;
  let allowedWorkers = options.maxWorkers;
  let broken: string | undefined;

  const expectThat = (holds: boolean, rule: string): void => {
    if (!holds) broken ??= rule;
  };
  const noteEnd = (runId: string, line: string): void => {
    ended += 1;
    ends.set(runId, (ends.get(runId) ?? 0) + 1);
    note(line);
  };
  pool.on('run:started', ({ runId, workerId }) => note(`${runId} started on ${workerId}`));
  pool.on('run:succeeded', ({ runId }) => noteEnd(runId, `${runId} succeeded`));
  pool.on('run:failed', ({ runId, cause, error }) =>
    noteEnd(runId, `${runId} ${cause}: ${error instanceof Error ? error.message : String(error)}`),
  );
  pool.on('worker:ready', ({ workerId }) => {
    workers += 1;
    note(`${workerId} ready`);
  });
  pool.on('worker:crashed', ({ workerId, runId }) => note(`${workerId} crashed with ${runId}`));
  pool.on('worker:stopped', ({ workerId, reason }) => note(`${workerId} stopped: ${reason}`));
  pool.on('worker:start-failed', ({ workerId }) => note(`${workerId} did not start`));
  pool.on('pool:crash-loop', () => note('crash loop'));

  function drawRunOptions(): RunOptions {
    const known = [...attempts.keys()];
    const again = dice.chance(0.05) ? known[dice.below(known.length)] : undefined;
    const runId = again ?? `run-${submitted}`;
    const attempt = (attempts.get(runId) ?? 0) + 1;
    attempts.set(runId, attempt);
    const delayMs = dice.chance(0.1) ? dice.below(200) : 0;
    // They stay out of the queue, and are counted.
    if (delayMs > 0) delays += 1;
    const controller = dice.chance(0.4) ? new AbortController() : undefined;
    if (controller !== undefined) controllers.push(controller);
    return {
      runId,
      attempt,
      ...(controller === undefined ? {} : { signal: controller.signal }),
      ...(dice.chance(0.4) ? { priority: dice.below(4) } : {}),
      ...(dice.chance(0.2) ? { key: `key-${dice.below(3)}` } : {}),
      ...(dice.chance(0.15) ? { affinity: `home-${dice.below(3)}` } : {}),
      ...(delayMs === 0 ? {} : { delayMs }),
      ...(dice.chance(0.3) ? { timeoutMs: dice.pick([0, 10, 500]) } : {}),
      ...(dice.chance(0.1) ? { onProgress: () => undefined } : {}),
      ...(dice.chance(0.05) ? { onOutput: () => undefined } : {}),
    };
  }

  function submit(): void {
    submitted += 1;
    const noteSettled = (): void => void (settled += 1);
    pool.run('work', drawBehaviour(dice), drawRunOptions()).then(noteSettled, noteSettled);
  }

  /** Reads some chunks, then all or no more. */
  async function readStream(): Promise<void> {
    submitted += 1;
    const leaveAfter = dice.chance(0.5) ? dice.below(10) : Infinity;
    const chunks = dice.below(30);
    const stream = pool.stream(
      'work',
      { ms: dice.below(3), chunks },
      { ...drawRunOptions(), buffer: 1 + dice.below(5) },
    );
    let expected = 0;
    for await (const chunk of stream) {
      expectThat(chunk === expected, `chunk ${expected} of a stream was ${String(chunk)}`);
      expected += 1;
      if (expected > leaveAfter) return;
    }
    expectThat(expected === chunks, `a stream of ${chunks} chunks had ${expected}`);
  }

  async function readMap(): Promise<void> {
    const total = dice.below(20);
    const leaveAfter = dice.chance(0.3) ? dice.below(10) : Infinity;
    const inputs = function* (): Generator<Behaviour> {
      for (let i = 0; i < total; i += 1) {
        submitted += 1;
        yield { ms: dice.below(5) };
      }
    };
    let given = 0;
    for await (const _ of pool.map('work', inputs(), { concurrency: 1 + dice.below(6) })) {
      given += 1;
      if (given > leaveAfter) return;
    }
    expectThat(given === total, `a map of ${total} inputs gave ${given} results`);
  }

  function loop(read: () => Promise<void>): void {
    loops += 1;
    const noteLoop = (): void => void (loopsEnded += 1);
    read().then(noteLoop, noteLoop);
  }

  function kill(): void {
    const processes = [...world.alive.values()];
    const victim = processes[dice.below(Math.max(1, processes.length))];
    note(`kill ${victim?.pid}`);
    victim?.die({ exitCode: null, signal: 'SIGKILL' });
  }

  function scale(): void {
    const count = dice.below(5);
    note(`scale to ${count}`);
    allowedWorkers = Math.max(count, 1);
    pool.scaleTo(count).catch(() => undefined);
  }

  return {
    get runs() {
      return submitted;
    },
    get workers() {
      return workers;
    },
    act() {
      const roll = dice.below(100);
      if (roll < 60) for (let i = dice.pick([1, 1, 3, 40]); i > 0; i -= 1) submit();
      else if (roll < 75)
        controllers[dice.below(Math.max(1, controllers.length))]?.abort(new Error('cancelled'));
      else if (roll < 82) kill();
      else if (roll < 86) scale();
      else if (roll < 94) loop(readStream);
      else loop(readMap);
    },
    check(step) {
      const stats = pool.stats();
      const { queued, running, succeeded, failed, timedOut, cancelled, lost, refused, stopped } = stats;
      const over = succeeded + failed + timedOut + cancelled + lost + refused + stopped;
      expectThat(
        queued + running + over === stats.submitted,
        `counts do not add up: ${JSON.stringify(stats)}`,
      );
      expectThat(queued >= 0 && running >= 0, `a count is negative: ${JSON.stringify(stats)}`);
      expectThat(over === ended, `${over} runs have ended, and ${ended} were told`);
      expectThat(stats.waitMs.count <= stats.submitted, 'more waits than runs');
      // Those that wait for the busy to check in after a scale down are on top.
      const most = Math.max(allowedWorkers, options.maxWorkers, 4);
      expectThat(pool.size <= most, `${pool.size} workers count, and ${most} may`);
      // The neighbours of a run that was given up may finish beside the replacement of their worker.
      if (options.runsPerWorker === 1) expectThat(running <= most, `${running} runs are executed`);
      if (options.isBounded) {
        expectThat(queued <= options.maxQueue + delays, `${queued} wait, and ${options.maxQueue} may`);
      }
      for (const [runId, count] of ends) {
        expectThat(count <= (attempts.get(runId) ?? 1), `${runId} ended ${count} times`);
      }
      for (const [name, count] of executions) expectThat(count === 1, `${name} was executed ${count} times`);
      if (broken !== undefined) throw new BrokenRuleError(seed, step, broken, options.log);
    },
    async end(step) {
      note('stop');
      const report = pool.stop({ graceMs: dice.pick([0, 100, 3_000]) });
      let isStopped = false;
      void report.then(() => (isStopped = true));
      await clock.advance(20_000);
      this.check(step);
      const stats = pool.stats();
      expectThat(isStopped, 'the stop does not end');
      expectThat(stats.queued === 0 && stats.running === 0, `runs are left: ${JSON.stringify(stats)}`);
      expectThat(loopsEnded === loops, `${loops - loopsEnded} loops over streams and maps do not end`);
      expectThat(settled <= submitted && stats.submitted === ended, `${ended} of ${stats.submitted} ended`);
      expectThat(pool.workers().length === 0 && world.alive.size === 0, 'workers are left');
      await clock.advance(3_600_000);
      expectThat(clock.pendingTimers === 0, `${clock.pendingTimers} timers are left`);
      this.check(step);
      note(JSON.stringify(pool.stats()));
    },
  };
}
