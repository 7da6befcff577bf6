import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkWorker } from '../src/conformance/kit.ts';
import type { Rule } from '../src/conformance/rule.ts';
import { rules } from '../src/conformance/rules.ts';

const worker = fileURLToPath(new URL('fixtures/conformance/broken_worker.mjs', import.meta.url));

/** Rules that a worker can't keep while it breaks the other. */
const IMPLIED: Readonly<Record<string, readonly string[]>> = {
  // Without -32003 there is no message of -32003.
  'run.unknown-task': ['run.lists-tasks'],
  // What is not answered tells no lag.
  'ping.while-spinning': ['ping.lag'],
  // A worker that drops its runs at `shutdown` is gone before it could answer.
  'shutdown.finishes-runs': ['shutdown.answers-draining'],
};

/**
 * Its own section, and there what takes a process each only if it does so too; all rules with PAWL_ALL_RULES set, which
 * takes some minutes.
 */
function rulesBeside(faulty: Rule): readonly Rule[] {
  if (process.env['PAWL_ALL_RULES'] !== undefined) return rules;
  const isShared = ({ worker: which }: Rule): boolean => which === undefined;
  return rules.filter((rule) => rule.section === faulty.section && (isShared(rule) || !isShared(faulty)));
}

async function broken(
  fault: string,
  options: { readonly rules: readonly Rule[] },
): Promise<readonly string[]> {
  const report = await checkWorker({
    command: [process.execPath, worker, '--fault', fault],
    channel: 'stdout',
    environment: process.env,
    timeoutMs: fault === 'none' ? 10_000 : 3_000,
    maxChecks: 2,
    rules: options.rules,
  });
  return report.verdicts.filter(({ status }) => status !== 'pass').map(({ rule }) => rule.id);
}

describe('the conformance kit', () => {
  it('passes the worker when it has no fault', { timeout: 60_000 }, async () => {
    expect(await broken('none', { rules })).toEqual([]);
  });

  describe.concurrent('finds, and blames for nothing else, a worker that breaks', () => {
    it.each(rules.map((rule) => [rule.id, rule] as const))('%s', { timeout: 120_000 }, async (id, rule) => {
      const found = await broken(id, { rules: rulesBeside(rule) });
      expect([...found].toSorted()).toEqual([id, ...(IMPLIED[id] ?? [])].toSorted());
    });
  });
});
