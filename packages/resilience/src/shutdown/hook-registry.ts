import { checkDurationMs, checkFunction, checkKnownKeys, checkOneOf, checkString } from '@pawl/core';
import type { ShutdownUrgency } from '../events.ts';

export interface HookContext {
  /** What `begin` was given. */
  readonly reason: unknown;
  /**
   * Aborts when there is no time for niceties: the graceful time is over (at once for a hook that starts later), or
   * the hook's own. End in the shortest way then.
   */
  readonly signal: AbortSignal;
  readonly urgency: ShutdownUrgency;
  /** Milliseconds until the shutdown becomes more pressing, or ends. */
  remainingMs(): number;
}

export type ShutdownHook = (context: HookContext) => unknown;

export interface RegisterOptions {
  /** The phase it runs in. @default 'close' if there is such a phase, else the last */
  readonly phase?: string;
  /**
   * Names of hooks that must have ended before this one begins, registered before it. So what others depend on names
   * its dependants. @default none
   */
  readonly after?: string | readonly string[];
  /** How long it may take, in milliseconds; then its signal aborts and the shutdown goes on. @default Infinity */
  readonly timeoutMs?: number;
}

export interface Hook {
  readonly name: string;
  readonly fn: ShutdownHook;
  readonly phase: string;
  readonly after: readonly string[];
  readonly timeoutMs: number;
}

/** The hooks that have not begun, and the order in which they will. */
export class HookRegistry {
  readonly #phases: readonly string[];
  /** In order of registration. */
  #waiting: Hook[] = [];
  /** Every name that is or was taken, with its phase. */
  readonly #known = new Map<string, string>();

  constructor(phases: readonly string[]) {
    this.#phases = phases;
  }

  /**
   * @throws TypeError, RangeError for wrong options, a name that is taken, an unknown name in `after`, or one whose
   * phase is later. As `after` names earlier registrations only, there can be no cycle.
   */
  add(name: string, fn: ShutdownHook, options: RegisterOptions): Hook {
    checkString('name', name);
    checkFunction('fn', fn);
    checkKnownKeys('register', options, ['phase', 'after', 'timeoutMs']);
    const phase = checkOneOf(
      'phase',
      options.phase ?? (this.#phases.includes('close') ? 'close' : this.#phases.at(-1)),
      this.#phases,
    );
    const after = typeof options.after === 'string' ? [options.after] : (options.after ?? []);
    if (this.#known.has(name)) throw new TypeError(`A shutdown hook named "${name}" is registered already.`);
    for (const other of after) {
      const otherPhase = this.#known.get(checkString('after', other));
      if (otherPhase === undefined) {
        throw new TypeError(
          `Shutdown hook "${name}" can't run after "${other}": no hook of that name was registered before.`,
        );
      }
      if (this.#phases.indexOf(otherPhase) > this.#phases.indexOf(phase)) {
        throw new TypeError(
          `Shutdown hook "${name}" in phase "${phase}" can't run after "${other}" in the later phase "${otherPhase}".`,
        );
      }
    }
    const timeoutMs = checkDurationMs('timeoutMs', options.timeoutMs ?? Infinity, { infinite: true });
    const hook: Hook = { name, fn, phase, after: [...after], timeoutMs };
    this.#waiting.push(hook);
    this.#known.set(name, phase);
    return hook;
  }

  /** Forgets a hook that has not begun. Whoever waits for it need not any more. */
  remove(hook: Hook): void {
    const index = this.#waiting.indexOf(hook);
    if (index === -1) return;
    this.#waiting.splice(index, 1);
    this.#known.delete(hook.name);
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** The hook to run next: of the earliest phase, not waiting for another, the one registered last. */
  peek(): Hook | undefined {
    return nextOf(this.#waiting, this.#phases);
  }

  take(hook: Hook): void {
    this.#waiting = this.#waiting.filter((other) => other !== hook);
  }

  /** Every waiting hook in the order in which they will run. */
  inOrder(): readonly Hook[] {
    const order: Hook[] = [];
    let waiting: readonly Hook[] = this.#waiting;
    for (let hook = nextOf(waiting, this.#phases); hook !== undefined; hook = nextOf(waiting, this.#phases)) {
      const taken = hook;
      order.push(taken);
      waiting = waiting.filter((other) => other !== taken);
    }
    return order;
  }
}

function nextOf(waiting: readonly Hook[], phases: readonly string[]): Hook | undefined {
  const phase = phases.find((name) => waiting.some((hook) => hook.phase === name));
  const names = new Set(waiting.map(({ name }) => name));
  return waiting.findLast((hook) => hook.phase === phase && !hook.after.some((other) => names.has(other)));
}
