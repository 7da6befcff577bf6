import { createPool, findPython, type ProcessPool } from '@pawl/runtime';
import type { ExecutionRequest } from '../execution-request.ts';
import type { ExecutionResult } from '../execution-result.ts';
import type { ResolvedRunnerOptions } from '../runner-options.ts';
import { probeSandbox } from './probe.ts';
import type {
  RejectedPython,
  RejectedSandbox,
  Sandbox,
  SandboxCheck,
  SandboxKind,
  SandboxReport,
} from './sandbox.ts';
import { SandboxUnavailableError } from './unavailable-error.ts';

export interface OpenSandboxOptions extends ResolvedRunnerOptions {
  readonly folder: string;
  readonly runIn: (
    pool: ProcessPool,
    kind: SandboxKind,
    request: ExecutionRequest,
  ) => Promise<ExecutionResult>;
  readonly signal: AbortSignal;
}

export interface OpenSandbox {
  readonly pool: ProcessPool;
  readonly report: SandboxReport;
}

/** How long a worker may take to build its sandbox. */
const START_TIMEOUT_MS = 15_000;
/** A cancelled program is ended within a look of its worker; then the worker serves on. */
const CANCEL_GRACE_MS = 2_000;

/**
 * Opens the first sandbox that starts and holds in every way its probe tries.
 * @throws SandboxUnavailableError when there is none
 */
export async function openSandbox(options: OpenSandboxOptions): Promise<OpenSandbox> {
  const rejected: RejectedSandbox[] = [];
  for (const sandbox of options.sandboxes) {
    const { kind, tier } = sandbox;
    const obstacle = sandbox.obstacle();
    if (obstacle !== undefined) {
      rejected.push({ kind, reason: obstacle });
      continue;
    }
    const rejectedPythons: RejectedPython[] = [];
    for (const command of options.pythons) {
      options.signal.throwIfAborted();
      const attempt = await tryOut(sandbox, command, options);
      if ('pool' in attempt) {
        const { pool, python, checks } = attempt;
        return { pool, report: { kind, tier, python, checks, rejectedPythons, rejected } };
      }
      options.logger.warn({ sandbox: kind, ...attempt }, 'A sandbox does not work with this interpreter.');
      rejectedPythons.push(attempt);
    }
    const reasons = rejectedPythons.map(({ python, reason }) => `with ${python}: ${reason}`);
    rejected.push({ kind, reason: reasons.join(' ') });
  }
  throw new SandboxUnavailableError(rejected);
}

/** A pool in a sandbox that holds. */
interface Opened {
  readonly pool: ProcessPool;
  readonly python: string;
  readonly checks: readonly SandboxCheck[];
}

/** Starts a pool in the sandbox and probes it. */
async function tryOut(
  sandbox: Sandbox,
  command: string,
  options: OpenSandboxOptions,
): Promise<Opened | RejectedPython> {
  const { runIn, folder, clock, logger } = options;
  let pool: ProcessPool | undefined;
  let python = command;
  try {
    python = (await findPython(command)).path;
    pool = createPool({
      worker: sandbox.command({ python, folder }),
      minWorkers: options.warm,
      maxWorkers: options.maxConcurrent,
      maxQueue: options.maxQueue,
      maxRunsPerWorker: options.maxRunsPerWorker,
      // A program may take as long as it likes: none waits behind another.
      prefetch: false,
      startTimeoutMs: START_TIMEOUT_MS,
      cancelGraceMs: CANCEL_GRACE_MS,
      killGraceMs: 0,
      clock,
      logger,
    });
    await pool.start();
    const tried = pool;
    const checks = await probeSandbox((request) => runIn(tried, sandbox.kind, request), folder);
    const escapes = checks.filter(({ contained }) => !contained);
    // Without a sandbox the probe tells what is open; that is what was asked for.
    if (escapes.length === 0 || sandbox.tier === 0) return { pool, python, checks };
    await pool.stop({ graceMs: 0 });
    const reasons = escapes.map(({ property, detail }) => `${property} is not contained: ${detail}`);
    return { python, reason: reasons.join(' ') };
  } catch (error) {
    await pool?.stop({ graceMs: 0 });
    return { python, reason: error instanceof Error ? error.message : String(error) };
  }
}
