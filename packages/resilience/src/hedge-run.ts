import { type Clock, createDeferred, type Emitter, PawlError, type Timer } from '@pawl/core';
import { asThrown, type CallContext, runAbortable } from './call-context.ts';
import { CancelScope } from './cancel-scope.ts';
import { discard } from './discard.ts';
import type { HedgeEvents } from './events.ts';
import type { Work } from './policy.ts';
import { isRefusal } from './refusal.ts';
import type { RetryBudget } from './retry/budget.ts';

export interface ResolvedHedgeOptions {
  readonly delayFor: (hedge: number) => number;
  readonly maxHedges: number;
  readonly shouldHedge: (error: unknown) => boolean;
  readonly budget: RetryBudget | undefined;
  readonly name: string;
  readonly clock: Clock;
}

/** What a hedge has done since it was made. */
export interface HedgeCounts {
  readonly calls: number;
  /** Calls made besides the originals. */
  readonly hedges: number;
  /** Hedges that answered first. */
  readonly won: number;
  /** Hedges that the budget refused. */
  readonly refused: number;
}

/** One call of a hedge: the original and those made besides. */
export class HedgeRun<T> {
  readonly #fn: Work<T>;
  readonly #context: CallContext;
  readonly #options: ResolvedHedgeOptions;
  readonly #events: Emitter<HedgeEvents>;
  readonly #counts: { -readonly [Key in keyof HedgeCounts]: HedgeCounts[Key] };
  readonly #startedAt: number;
  readonly #answer = createDeferred<T>();
  /** Those under way. */
  readonly #scopes = new Set<CancelScope>();
  /** The number of the next hedge. */
  #next = 0;
  #mayHedge = true;
  #isOver = false;
  #timer: Timer | undefined;

  constructor(
    fn: Work<T>,
    context: CallContext,
    options: ResolvedHedgeOptions,
    events: Emitter<HedgeEvents>,
    counts: HedgeCounts,
  ) {
    this.#fn = fn;
    this.#context = context;
    this.#options = options;
    this.#events = events;
    this.#counts = counts;
    this.#startedAt = options.clock.now();
  }

  run(): Promise<T> {
    this.#guarded(() => this.#call());
    return this.#answer.promise;
  }

  #call(): void {
    const number = this.#next;
    this.#next += 1;
    const scope = new CancelScope(this.#context.scope);
    this.#scopes.add(scope);
    runAbortable(this.#fn, this.#context.withHedge(number, scope)).then(
      (value) => this.#succeeded(number, scope, value),
      (error: unknown) => this.#guarded(() => this.#failed(scope, error)),
    );
    this.#planNext();
  }

  #planNext(): void {
    this.#timer?.cancel();
    if (this.#isOver || !this.#mayHedge || this.#next > this.#options.maxHedges) return;
    const delayMs = this.#options.delayFor(this.#next);
    const next = (): void => this.#guarded(() => this.#hedge('delay'));
    if (delayMs > 0) this.#timer = this.#options.clock.setTimer(delayMs, next);
    else next();
  }

  #hedge(because: 'delay' | 'failure'): void {
    const number = this.#next;
    if (this.#options.budget?.tryRetry() === false) {
      this.#mayHedge = false;
      this.#counts.refused += 1;
      this.#events.emit('hedge:refused', { hedge: number });
      return;
    }
    this.#counts.hedges += 1;
    this.#events.emit('hedge:started', { hedge: number, because, elapsedMs: this.#elapsedMs() });
    this.#call();
  }

  #succeeded(number: number, scope: CancelScope, value: T): void {
    if (this.#isOver) {
      discard(value);
      return;
    }
    this.#end(scope);
    this.#answer.resolve(value);
    if (number === 0) return;
    this.#counts.won += 1;
    this.#events.emit('hedge:won', { hedge: number, elapsedMs: this.#elapsedMs() });
  }

  #failed(scope: CancelScope, error: unknown): void {
    if (this.#isOver) return;
    this.#scopes.delete(scope);
    scope[Symbol.dispose]();
    if (this.#decides(error)) {
      this.#giveUp(error);
      return;
    }
    if (this.#mayHedge && this.#next <= this.#options.maxHedges) this.#hedge('failure');
    if (this.#scopes.size === 0) this.#giveUp(error);
  }

  /** Whether an error ends the whole call, though others are under way. */
  #decides(error: unknown): boolean {
    if (this.#context.scope?.aborted === true) return true;
    if (!isRefusal(error)) return !this.#options.shouldHedge(error);
    this.#mayHedge = false;
    this.#timer?.cancel();
    return false;
  }

  /** Ends the call with what a function of the user's throws. */
  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    this.#end(undefined);
    this.#answer.reject(asThrown(error));
  }

  /** Aborts all calls under way but the winner's. */
  #end(winner: CancelScope | undefined): void {
    this.#isOver = true;
    this.#timer?.cancel();
    for (const scope of this.#scopes) {
      if (scope !== winner) scope.abort(lost());
      scope[Symbol.dispose]();
    }
    this.#scopes.clear();
  }

  #elapsedMs(): number {
    return this.#options.clock.now() - this.#startedAt;
  }
}

function lost(): PawlError {
  return new PawlError('Another call of the hedge ended it.', { code: 'HEDGE_LOST' });
}
