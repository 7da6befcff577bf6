import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serviceContract } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createOrchestrator, type Orchestrator, type OrchestratorOptions } from '../src/index.ts';
import { isAlive } from './setup-processes.ts';
import { setupScripts } from './setup-scripts.ts';

const SHOUT = fileURLToPath(new URL('fixtures/shout.mjs', import.meta.url));

function setup(options: OrchestratorOptions = {}) {
  const orchestrator: Orchestrator = createOrchestrator({ pool: { maxWorkers: 2 }, ...options });
  const scripts = setupScripts();
  onTestFinished(async () => {
    await orchestrator.stop({ graceMs: 0 });
  });
  return { orchestrator, ...scripts };
}

describe('the orchestrator', () => {
  for (const { title, run } of serviceContract(() => createOrchestrator())) it(title, run);

  it('runs a script and gives its result', async () => {
    const { orchestrator, script } = setup();
    const scriptPath = script('hi.sh', 'echo "hi $1"; exit 2');
    const execution = await orchestrator.execute({ scriptPath, args: ['there'], pattern: 'simple' });
    expect(execution.result).toMatchObject({ exitCode: 2, stdout: 'hi there\n' });
    expect(await orchestrator.execute({ scriptPath })).toMatchObject({
      pattern: 'simple',
      result: { stdout: 'hi \n' },
    });
  });

  it('shows a long one while it runs', async () => {
    const { orchestrator, script } = setup();
    const scriptPath = script('hi.sh', 'echo one; echo two');
    const { run } = await orchestrator.execute({
      scriptPath,
      streaming: true,
      pattern: 'long-running',
      runId: 'mine',
    });
    const types: string[] = [];
    for await (const event of run.output.follow()) types.push(event.type);
    expect([run.runId, types, (await run.result).exitCode]).toEqual([
      'mine',
      ['entry', 'entry', 'complete'],
      0,
    ]);
  });

  it('runs many, with what they have in common said once', async () => {
    const { orchestrator, script, folder } = setup({ maxConcurrent: 2 });
    const scriptPath = script('say.sh', 'echo "$1 $WHO $PWD"; exit "${2:-0}"');
    const done: number[] = [];
    const execution = await orchestrator.execute({
      scriptPath,
      cwd: folder,
      env: { WHO: 'all' },
      items: [{ args: ['a'] }, { id: 'second', args: ['b', '3'] }, { args: ['c'], env: { WHO: 'me' } }],
      onProgress: (progress) => done.push(progress.done),
    });
    expect(execution).toMatchObject({
      pattern: 'concurrent',
      reports: [
        { status: 'succeeded', stdout: `a all ${folder}\n` },
        { id: 'second', status: 'failed', exitCode: 3 },
        { status: 'succeeded', stdout: `c me ${folder}\n` },
      ],
    });
    expect(done).toEqual([1, 2, 3]);
  });

  it('answers before a tracked run has ended', async () => {
    const { orchestrator, script } = setup();
    const scriptPath = script('hi.sh', 'echo hi');
    const request = { scriptPath, waitForResult: false, tracking: { idempotencyKey: 'once' } } as const;
    const { run } = await orchestrator.execute({ ...request, pattern: 'fire-and-forget' });
    expect((await orchestrator.execute({ ...request, pattern: 'fire-and-forget' })).run.id).toBe(run.id);
    expect(await orchestrator.tracker.wait(run.id)).toMatchObject({
      state: 'succeeded',
      result: { lastLines: ['hi'] },
    });
  });

  it('runs again and again what the rest of the request asks for, and counts what fails', async () => {
    const { orchestrator, script, folder } = setup();
    const scriptPath = script(
      'tick.sh',
      'echo x >> ticks; [ "$(wc -l < ticks)" -ge 2 ] && touch twice; exit 1',
    );
    const { task } = await orchestrator.execute({
      scriptPath,
      cwd: folder,
      pattern: 'periodic',
      periodic: { name: 'tick', everyMs: 10 },
    });
    await expect.poll(() => existsSync(join(folder, 'twice')), { timeout: 10_000 }).toBe(true);
    await expect.poll(() => task.statistics()?.errors ?? 0, { timeout: 10_000 }).toBeGreaterThan(1);
    expect(task.statistics()).toMatchObject({ name: 'tick', successes: 0 });
    await task.cancel();
    expect(task.statistics()).toBeUndefined();
  });

  it('calls functions of a script in warm workers', async () => {
    const { orchestrator } = setup({ pool: { maxWorkers: 1 } });
    const request = {
      scriptPath: SHOUT,
      pattern: 'pooled',
      pooled: { task: 'shout', input: { text: 'hé' } },
    } as const;
    const first = await orchestrator.execute(request);
    const second = await orchestrator.execute(request);
    expect(first.value).toMatchObject({ text: 'HÉ', calls: 1 });
    expect(second.value).toEqual({ ...(first.value as object), calls: 2 });
  });

  it('can be told another mode', async () => {
    const { orchestrator, script } = setup({ mode: 'dry-run' });
    const scriptPath = script('hi.sh', 'echo hi');
    const { result } = await orchestrator.execute({ scriptPath, pattern: 'simple' });
    expect(result).toMatchObject({ pid: -1, stdout: `dry-run: sh ${scriptPath}\n` });
    const live = await orchestrator.execute({ scriptPath, pattern: 'simple', mode: 'async' });
    expect(live.result.stdout).toBe('hi\n');
  });

  it('ends what runs when it is stopped, and names it', async () => {
    const { orchestrator, script } = setup();
    const scriptPath = script('forever.sh', 'echo $$; exec sleep 300');
    const { run } = await orchestrator.execute({ scriptPath, pattern: 'long-running' });
    const { value } = (await run.output.follow().next()) as { readonly value: { readonly text: string } };
    const pid = Number(value.text);
    const report = await orchestrator.stop({ graceMs: 0 });
    expect([report.drained, report.orphaned, isAlive(pid)]).toEqual([false, [`${pid} sh`], false]);
    expect(await run.result).toMatchObject({ signal: 'SIGKILL' });
    await expect(orchestrator.execute({ scriptPath })).rejects.toMatchObject({ code: 'SERVICE_STOPPED' });
  });
});
