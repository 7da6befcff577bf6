import { systemClock } from '@pawl/core';
import { Breach, NotOffered } from './breach.ts';
import { welcomeFrame } from './host-frames.ts';
import type { Json } from './line.ts';
import { type Channel, RawWorker, type StartOptions } from './raw-worker.ts';
import type { Rule } from './rule.ts';

export interface KitOptions {
  readonly command: readonly [string, ...string[]];
  readonly channel: Channel;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How long to wait for each frame, in milliseconds. */
  readonly timeoutMs: number;
  readonly rules: readonly Rule[];
  /** How many checks run at a time. @default 4 */
  readonly maxChecks?: number;
  /** Ends the kit: its workers are killed, and what is not checked by then is skipped. */
  readonly signal?: AbortSignal | undefined;
}

export interface Verdict {
  readonly rule: Rule;
  /** `warn`: a "should" that is not kept. `skipped`: nothing could be checked, for the reason given. */
  readonly status: 'pass' | 'fail' | 'warn' | 'not offered' | 'skipped';
  readonly reason?: string;
  /** What went over the streams during the check, when it failed. */
  readonly exchange?: readonly string[];
}

export interface Report {
  readonly command: readonly string[];
  readonly channel: Channel;
  /** The `params` of the worker's `hello`. */
  readonly hello: Json | undefined;
  readonly durationMs: number;
  /** One for each rule, in the order of the rules. */
  readonly verdicts: readonly Verdict[];
}

/** The command is missing, or may not be executed. */
export class CommandError extends Error {}

/**
 * Starts the command, many times over, and checks rule by rule what it does.
 * @throws CommandError
 */
export async function checkWorker(options: KitOptions): Promise<Report> {
  const { command, channel, rules, maxChecks = 4, signal } = options;
  const startedAt = systemClock.now();
  const nursery = new Nursery(options);
  const verdicts = new Map<Rule, Verdict>();
  let hello: Json | undefined;
  const onAbort = (): void => void nursery.killAll();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const probe = nursery.start();
    hello = await greet(probe);
    const queue: Rule[] = [];
    for (const rule of rules) {
      const verdict = verdictWithoutCheck(rule, hello, probe);
      if (verdict === undefined) queue.push(rule);
      else verdicts.set(rule, verdict);
    }
    // Those that start a process of their own take longest.
    queue.sort((one, other) => Number(isShared(one)) - Number(isShared(other)));
    if (hello === undefined) await nursery.kill(probe);
    else probe.write(welcomeFrame());
    const work = async (_: unknown, lane: number): Promise<void> => {
      const shared = new SharedWorker(nursery, lane === 0 ? probe : undefined);
      for (let rule = queue.shift(); rule !== undefined; rule = queue.shift()) {
        verdicts.set(rule, await verdictOn(rule, nursery, shared, signal));
      }
    };
    await Promise.all(Array.from({ length: maxChecks }, work));
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await nursery.killAll();
  }
  return {
    command,
    channel,
    hello,
    durationMs: Math.round(systemClock.now() - startedAt),
    verdicts: rules.map((rule) => verdicts.get(rule) ?? { rule, status: 'skipped', reason: 'not reached' }),
  };
}

/** Starts workers and knows those that live. */
class Nursery {
  readonly #options: KitOptions;
  readonly #alive = new Set<RawWorker>();

  constructor(options: KitOptions) {
    this.#options = options;
  }

  start(how: Pick<StartOptions, 'unsetChannel' | 'behindShell'> = {}): RawWorker {
    const worker = new RawWorker({ ...this.#options, ...how });
    this.#alive.add(worker);
    return worker;
  }

  async kill(worker: RawWorker): Promise<void> {
    this.#alive.delete(worker);
    await worker.kill();
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.#alive].map((worker) => this.kill(worker)));
  }
}

/** The worker that checks take turns with, while it is in order. */
class SharedWorker {
  readonly #nursery: Nursery;
  #worker: RawWorker | undefined;

  constructor(nursery: Nursery, welcomed: RawWorker | undefined) {
    this.#nursery = nursery;
    this.#worker = welcomed;
  }

  /** @returns whether the check went well on it */
  async passes(rule: Rule): Promise<boolean> {
    try {
      if (this.#worker === undefined) {
        this.#worker = this.#nursery.start();
        await this.#worker.welcome();
      }
      await rule.check(this.#worker);
      return true;
    } catch (error) {
      if (error instanceof NotOffered) throw error;
      const worker = this.#worker;
      this.#worker = undefined;
      if (worker !== undefined) await this.#nursery.kill(worker);
      return false;
    }
  }
}

/** What the worker says of itself, or undefined when it says nothing. @throws CommandError */
async function greet(probe: RawWorker): Promise<Json | undefined> {
  const failure = probe.failedToStart.then((error): never => {
    throw new CommandError(error.message, { cause: error });
  });
  try {
    return await Promise.race([failure, probe.hello()]);
  } catch (error) {
    if (error instanceof Breach) return undefined;
    throw error;
  }
}

function verdictWithoutCheck(rule: Rule, hello: Json | undefined, probe: RawWorker): Verdict | undefined {
  if (hello === undefined) {
    if (rule.id !== 'hello.first-frame') return { rule, status: 'skipped', reason: 'there is no `hello`' };
    const reason = `There is no \`hello\` within ${probe.timeoutMs} ms, or before the process ended.`;
    return { rule, status: 'fail', reason, exchange: probe.exchange.shown() };
  }
  const has = (key: string, name: string): boolean => {
    const names = hello[key];
    return Array.isArray(names) && names.includes(name);
  };
  const missing = [
    ...(rule.tasks ?? []).filter((task) => !has('tasks', task)).map((task) => `no task \`${task}\``),
    ...(rule.features ?? [])
      .filter((feature) => !has('features', feature))
      .map((feature) => `no feature \`${feature}\``),
    ...(rule.whileBusy === true && !has('features', 'cancel') && !has('features', 'concurrent')
      ? ['neither feature `cancel` nor `concurrent`']
      : []),
  ];
  return missing.length === 0 ? undefined : { rule, status: 'not offered', reason: missing.join(', ') };
}

async function verdictOn(
  rule: Rule,
  nursery: Nursery,
  shared: SharedWorker,
  signal: AbortSignal | undefined,
): Promise<Verdict> {
  if (hasStopped(signal)) return { rule, status: 'skipped', reason: 'the kit was stopped' };
  let worker: RawWorker | undefined;
  try {
    // What fails on a shared worker may be the fault of an earlier check: only a worker of its own can tell.
    if (isShared(rule) && (await shared.passes(rule))) return { rule, status: 'pass' };
    if (hasStopped(signal)) return { rule, status: 'skipped', reason: 'the kit was stopped' };
    worker = nursery.start({
      unsetChannel: rule.worker === 'silent without PAWL_CHANNEL',
      behindShell: rule.worker === 'silent behind a shell',
    });
    if (isShared(rule) || rule.worker === 'welcomed') await worker.welcome();
    await rule.check(worker);
    return { rule, status: 'pass' };
  } catch (error) {
    if (hasStopped(signal)) return { rule, status: 'skipped', reason: 'the kit was stopped' };
    if (error instanceof NotOffered) return { rule, status: 'not offered', reason: error.message };
    if (!(error instanceof Breach)) throw error;
    return {
      rule,
      status: rule.level === 'should' ? 'warn' : 'fail',
      reason: error.message,
      ...(worker === undefined ? {} : { exchange: worker.exchange.shown() }),
    };
  } finally {
    if (worker !== undefined) await nursery.kill(worker);
  }
}

function hasStopped(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function isShared(rule: Rule): boolean {
  return rule.worker === undefined || rule.worker === 'shared';
}
