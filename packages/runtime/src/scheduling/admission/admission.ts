import {
  checkInteger,
  checkKnownKeys,
  checkNumber,
  type Clock,
  createDeferred,
  type Deferred,
  onAbort,
  PawlError,
  showValue,
  systemClock,
  type Timer,
} from '@pawl/core';
import type { Pressure, PressureProbe } from './pressure.ts';
import { createPressureGauge, SAMPLE_MS } from './pressure-gauge.ts';
import { systemPressureProbe } from './system-pressure.ts';

export interface AdmissionOptions {
  /** The share of the CPUs that may be busy, from 0 to 1; 1 does not look. @default 0.8 */
  readonly maxCpu?: number;
  /** Memory that has to be left, in bytes; 0 does not look. Lower it on a machine that never has so much. @default 4 GiB */
  readonly minFreeMemoryBytes?: number;
  /** How many there are of each resource of your own, such as `{ gpu: 2, licence: 5 }`. @default {} */
  readonly tokens?: Readonly<Record<string, number>>;
  /** Where the pressure is read. @default this machine or container */
  readonly probe?: PressureProbe;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** How many of each resource a run needs while it runs. */
export type TokenDemand = Readonly<Record<string, number>>;

/** Whether work may begin now, and why not. */
export type AdmissionVerdict =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly cause: AdmissionCause; readonly reason: string };

/** What stands in the way: the machine, or tokens that others hold or wait for. */
export type AdmissionCause = 'cpu' | 'memory' | 'tokens';

/** The right to begin, with the tokens that were asked for. */
export interface Admitted extends Disposable {
  /** Gives the tokens back. @throws PawlError `ALREADY_RELEASED` the second time */
  release(): void;
}

export interface AdmissionStats {
  readonly waiting: number;
  /** Tokens nobody holds. */
  readonly free: Readonly<Record<string, number>>;
  /** The last sample of the machine; taken now if that is older than a second. */
  readonly pressure: Pressure;
}

/** Lets work begin while the machine has room and the tokens are there. */
export interface Admission {
  /** Whether work with that demand would be let in now. Takes nothing. */
  check(demand?: TokenDemand): AdmissionVerdict;
  /** Takes what is there now; undefined when it, or others that came before, would have to wait. */
  tryAcquire(demand?: TokenDemand): Admitted | undefined;
  /**
   * Waits until there is room, in the order of asking: only those who want none of what an earlier one waits for may
   * go before it. All tokens are taken together, or none. @throws the reason of `signal`
   */
  acquire(demand?: TokenDemand, options?: { readonly signal?: AbortSignal }): Promise<Admitted>;
  stats(): AdmissionStats;
}

interface Waiter {
  readonly demand: TokenDemand;
  readonly turn: Deferred<Admitted>;
}

const ADMITTED: AdmissionVerdict = { admitted: true };
const GIBIBYTE = 1024 ** 3;

export function createAdmission(options: AdmissionOptions = {}): Admission {
  checkKnownKeys('createAdmission', options, ['maxCpu', 'minFreeMemoryBytes', 'tokens', 'probe', 'clock']);
  const maxCpu = checkNumber('maxCpu', options.maxCpu ?? 0.8, { min: 0, max: 1 });
  const minFreeMemoryBytes = checkNumber('minFreeMemoryBytes', options.minFreeMemoryBytes ?? 4 * GIBIBYTE, {
    min: 0,
  });
  const totals = new Map(
    Object.entries(options.tokens ?? {}).map(([name, count]) => [
      name,
      checkInteger(`tokens.${name}`, count, { min: 1 }),
    ]),
  );
  const clock = options.clock ?? systemClock;
  const gauge = createPressureGauge(options.probe ?? systemPressureProbe(), clock);
  const free = new Map(totals);
  const waiting = new Set<Waiter>();
  /** How many of those that wait want a resource. */
  const wanted = new Map<string, number>();
  let retry: Timer | undefined;

  function checkDemand(demand: TokenDemand): void {
    for (const [name, count] of Object.entries(demand)) {
      const total = totals.get(name);
      if (total === undefined) {
        throw new TypeError(
          `There are no tokens \`${name}\`; known: ${[...totals.keys()].join(', ') || 'none'}.`,
        );
      }
      checkInteger(`demand.${name}`, count, { min: 0, max: total });
    }
  }

  function checkMachine(): AdmissionVerdict {
    if (maxCpu === 1 && minFreeMemoryBytes === 0) return ADMITTED;
    const { cpu, freeMemoryBytes } = gauge.read();
    if (cpu !== undefined && cpu > maxCpu) {
      const reason = `The CPUs are ${percent(cpu)} busy; up to ${percent(maxCpu)} are allowed.`;
      return { admitted: false, cause: 'cpu', reason };
    }
    if (freeMemoryBytes < minFreeMemoryBytes) {
      const reason = `${freeMemoryBytes} bytes of memory are free; ${minFreeMemoryBytes} have to be left.`;
      return { admitted: false, cause: 'memory', reason };
    }
    return ADMITTED;
  }

  /** @param isWanted whether somebody waits for a resource who came before */
  function checkTokens(demand: TokenDemand, isWanted: (name: string) => boolean): AdmissionVerdict {
    for (const [name, count] of Object.entries(demand)) {
      const left = free.get(name) ?? 0;
      if (count > left || (count > 0 && isWanted(name))) {
        const who = count > left ? `${left} of ${totals.get(name)} are free` : 'others wait for them';
        return { admitted: false, cause: 'tokens', reason: `It needs ${count} tokens \`${name}\`; ${who}.` };
      }
    }
    return ADMITTED;
  }

  const isWantedByAny = (name: string): boolean => (wanted.get(name) ?? 0) > 0;

  function enqueue(waiter: Waiter): void {
    waiting.add(waiter);
    for (const name of namesOf(waiter.demand)) wanted.set(name, (wanted.get(name) ?? 0) + 1);
  }

  /** @returns whether it was still waiting */
  function dequeue(waiter: Waiter): boolean {
    if (!waiting.delete(waiter)) return false;
    for (const name of namesOf(waiter.demand)) wanted.set(name, (wanted.get(name) ?? 0) - 1);
    return true;
  }

  function take(demand: TokenDemand): Admitted {
    for (const [name, count] of Object.entries(demand)) free.set(name, (free.get(name) ?? 0) - count);
    let released = false;
    const release = (): void => {
      if (released) {
        throw new PawlError(`The tokens ${showValue(demand)} were given back before.`, {
          code: 'ALREADY_RELEASED',
        });
      }
      released = true;
      for (const [name, count] of Object.entries(demand)) free.set(name, (free.get(name) ?? 0) + count);
      admitWaiting();
    };
    return { release, [Symbol.dispose]: release };
  }

  /** Lets in who can be, oldest first, and looks again in a second if the machine is what they wait for. */
  function admitWaiting(): void {
    retry?.cancel();
    retry = undefined;
    const wantedBefore = new Set<string>();
    for (const waiter of waiting) {
      if (!checkMachine().admitted) {
        retry = clock.setTimer(SAMPLE_MS, admitWaiting);
        return;
      }
      if (checkTokens(waiter.demand, (name) => wantedBefore.has(name)).admitted) {
        dequeue(waiter);
        waiter.turn.resolve(take(waiter.demand));
      } else {
        for (const name of namesOf(waiter.demand)) wantedBefore.add(name);
        if (wantedBefore.size === totals.size) return;
      }
    }
  }

  function verdict(demand: TokenDemand): AdmissionVerdict {
    checkDemand(demand);
    const tokens = checkTokens(demand, isWantedByAny);
    return tokens.admitted ? checkMachine() : tokens;
  }

  function tryAcquire(demand: TokenDemand): Admitted | undefined {
    // Others wait for the machine already, and come first.
    return retry === undefined && verdict(demand).admitted ? take(demand) : undefined;
  }

  return {
    check: (demand = {}) => verdict(demand),
    tryAcquire: (demand = {}) => tryAcquire(demand),
    async acquire(demand = {}, { signal } = {}) {
      signal?.throwIfAborted();
      const admitted = tryAcquire(demand);
      if (admitted !== undefined) return admitted;
      checkDemand(demand);
      const waiter: Waiter = { demand, turn: createDeferred() };
      enqueue(waiter);
      if (retry === undefined && !checkMachine().admitted) retry = clock.setTimer(SAMPLE_MS, admitWaiting);
      const stopListening = onAbort(signal, (reason) => {
        if (!dequeue(waiter)) return;
        waiter.turn.reject(reason);
        admitWaiting();
      });
      try {
        return await waiter.turn.promise;
      } finally {
        stopListening();
      }
    },
    stats: () => ({
      waiting: waiting.size,
      free: Object.fromEntries(free),
      pressure: gauge.read(),
    }),
  };
}

function namesOf(demand: TokenDemand): readonly string[] {
  return Object.keys(demand).filter((name) => (demand[name] ?? 0) > 0);
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
