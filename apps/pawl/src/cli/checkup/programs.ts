import { createPythonRunner, type RejectedSandbox, type SandboxReport } from '@pawl/python';
import { findPython } from '@pawl/runtime';
import type { Config } from '../../config.ts';
import { runnerOptions } from '../../python/runner-options.ts';
import type { Finding } from './finding.ts';

/** The strongest first. */
export const SANDBOXES = [
  { kind: 'bubblewrap', tier: 1 },
  { kind: 'landlock', tier: 2 },
] as const;

export function checkNode(): Finding {
  return { name: 'node', ok: true, detail: `${process.version} (${process.execPath})`, remedy: null };
}

export async function checkPython({ python }: Config): Promise<Finding> {
  try {
    const { version, path } = await findPython(python);
    return { name: 'python', ok: true, detail: `${version} (${path})`, remedy: null };
  } catch (error) {
    // It says itself what to install.
    const detail = error instanceof Error ? error.message : String(error);
    return { name: 'python', ok: false, detail, remedy: null };
  }
}

export async function checkSandbox(
  kind: (typeof SANDBOXES)[number]['kind'],
  tier: number,
  config: Config,
): Promise<Finding> {
  const tried = await trySandbox(kind, config);
  const ok = 'checks' in tried;
  const note = ok && tier > config.minSandboxTier ? ' Not used: PAWL_MIN_SANDBOX_TIER is 1.' : '';
  return { name: kind, ok, detail: `tier ${tier}: ${ok ? holds(tried) : tried.reason}${note}`, remedy: null };
}

/** Starts the sandbox and probes it, as the service would. */
async function trySandbox(
  kind: 'bubblewrap' | 'landlock',
  config: Config,
): Promise<SandboxReport | Pick<RejectedSandbox, 'reason'>> {
  const runner = createPythonRunner({
    ...runnerOptions(config),
    sandbox: kind,
    allowUnsandboxed: false,
    maxConcurrent: 1,
  });
  try {
    return await runner.sandboxReport();
  } catch (error) {
    const { rejected } = error as { readonly rejected?: readonly RejectedSandbox[] };
    if (rejected === undefined) throw error;
    return { reason: rejected.map(({ reason }) => reason).join('; ') };
  } finally {
    await runner.stop({ graceMs: 0 });
  }
}

function holds({ checks, python, rejectedPythons }: SandboxReport): string {
  const properties = checks.map(({ property }) => property).join(', ');
  const others = rejectedPythons.map((other) => `; not with ${other.python}: ${other.reason}`);
  return `contains programs (${properties}) with ${python}${others.join('')}`;
}
