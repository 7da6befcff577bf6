import { createPythonRunner, type RejectedSandbox, type SandboxKind, type SandboxReport } from '@pawl/python';
import { findPython } from '@pawl/runtime';
import type { Config } from '../config.ts';
import { runnerOptions } from '../python/runner-options.ts';
import { REMEDY } from '../python/sandbox-state.ts';
import { exitCodes } from './exit-codes.ts';

interface Finding {
  readonly name: string;
  readonly ok: boolean;
  /** A version or path, or why it can't be used. */
  readonly detail: string;
}

interface Diagnosis {
  /** Whether the service would run programs. */
  readonly ready: boolean;
  readonly findings: readonly Finding[];
  /** What the service would use. */
  readonly sandbox: SandboxKind | null;
}

const TIERS = [
  ['bubblewrap', 1],
  ['landlock', 2],
] as const;

/** Tells what is here, what is missing and what to install. @returns the exit code: 0 when programs can be run */
export async function runDoctor(config: Config, { json }: { readonly json: boolean }): Promise<number> {
  const diagnosis = await diagnose(config);
  process.stdout.write(json ? `${JSON.stringify(diagnosis, undefined, 2)}\n` : describe(diagnosis));
  return diagnosis.ready ? exitCodes.ok : exitCodes.unavailable;
}

async function diagnose(config: Config): Promise<Diagnosis> {
  const findings: Finding[] = [
    { name: 'node', ok: true, detail: `${process.version} (${process.execPath})` },
    await lookForPython(config.python),
  ];
  let sandbox: SandboxKind | null = null;
  for (const [kind, tier] of TIERS) {
    const tried = await trySandbox(kind, config);
    const allowed = tier <= config.minSandboxTier;
    const ok = 'checks' in tried;
    if (ok && allowed) sandbox ??= kind;
    const note = ok && !allowed ? ' Not used: PAWL_MIN_SANDBOX_TIER is 1.' : '';
    findings.push({ name: kind, ok, detail: `tier ${tier}: ${ok ? holds(tried) : tried.reason}${note}` });
  }
  if (config.allowUnsandboxed) sandbox ??= 'none';
  return { ready: sandbox !== null, findings, sandbox };
}

async function lookForPython(python: string | undefined): Promise<Finding> {
  try {
    const { version, path } = await findPython(python);
    return { name: 'python', ok: true, detail: `${version} (${path})` };
  } catch (error) {
    return { name: 'python', ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
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

function holds({ checks, python }: SandboxReport): string {
  return `holds ${checks.map(({ property }) => property).join(', ')} of ${python}`;
}

function describe({ findings, sandbox }: Diagnosis): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(
    ({ name, ok, detail }) => `${ok ? 'ok     ' : 'missing'}  ${name.padEnd(width)}  ${detail}`,
  );
  return `${lines.join('\n')}\n\n${verdict(sandbox)}\n`;
}

function verdict(sandbox: SandboxKind | null): string {
  if (sandbox === null) return `Programs can't be run. ${REMEDY}`;
  return sandbox === 'none'
    ? 'Programs run without a sandbox, because PAWL_ALLOW_UNSANDBOXED is 1.'
    : `Programs run in the sandbox ${sandbox}.`;
}
