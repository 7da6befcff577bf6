import type { HookOutcome, ShutdownUrgency } from '../events.ts';

/** What one hook did. */
export interface HookReport {
  readonly name: string;
  readonly phase: string;
  /** `running` in a report of a shutdown that goes on. */
  readonly outcome: HookOutcome | 'running';
  /** Milliseconds it took, or has taken so far. */
  readonly durationMs: number;
  /** What it failed with. */
  readonly error?: unknown;
}

/** What a shutdown did, up to now or to its end. */
export interface ShutdownReport {
  /** What `begin` was given first. */
  readonly reason: unknown;
  /** Milliseconds since it began. */
  readonly durationMs: number;
  /** How pressing it became. */
  readonly urgency: ShutdownUrgency;
  /** Whether every hook succeeded and no tracked work was left. */
  readonly clean: boolean;
  /** In the order in which they began. */
  readonly hooks: readonly HookReport[];
  /** Names of the tracked work that was left. */
  readonly pending: readonly string[];
  /** What kept the event loop alive at the end, as `process.getActiveResourcesInfo()` names it. */
  readonly activeResources: readonly string[];
}

export interface PlannedHook {
  readonly name: string;
  readonly phase: string;
  readonly after: readonly string[];
}

/** What a shutdown would do now. `String(plan)` is a text to print. */
export interface ShutdownPlan {
  readonly hooks: readonly PlannedHook[];
  /** Milliseconds. */
  readonly gracefulMs: number;
  /** Milliseconds. */
  readonly urgentMs: number;
  /** Milliseconds. */
  readonly forcedMs: number;
  toString(): string;
}

export function describePlan(
  phases: readonly string[],
  hooks: readonly PlannedHook[],
  budgets: Pick<ShutdownPlan, 'gracefulMs' | 'urgentMs' | 'forcedMs'>,
): ShutdownPlan {
  const lines = phases.flatMap((phase, index) => {
    const own = hooks.filter((hook) => hook.phase === phase);
    const steps = own.map(
      ({ name, after }) => `  ${name}${after.length > 0 ? ` (after ${after.join(', ')})` : ''}`,
    );
    return [`${phase}:`, ...steps, ...(index === 0 ? ['  (tracked work)'] : [])];
  });
  const { gracefulMs, urgentMs, forcedMs } = budgets;
  const head = `graceful ${gracefulMs} ms, then urgent ${urgentMs} ms, then forced ${forcedMs} ms`;
  return {
    hooks: hooks.map(({ name, phase, after }) => ({ name, phase, after })),
    ...budgets,
    toString: () => [head, ...lines].join('\n'),
  };
}
