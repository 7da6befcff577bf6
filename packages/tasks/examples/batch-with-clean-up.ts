// Concurrent, then fire-and-forget: a batch of which one item fails, and a clean-up that nobody waits for, but that is
// tracked, and tried again should it fail.
import { fileURLToPath } from 'node:url';
import { createOrchestrator, type ModuleReport, type Run } from '@pawl/tasks';

const script = (name: string): string => fileURLToPath(new URL(`scripts/${name}`, import.meta.url));

/** @param folder where the batch works */
export async function resizeAll(
  names: readonly string[],
  folder: string,
): Promise<{ readonly reports: readonly ModuleReport[]; readonly cleanUp: Run }> {
  const orchestrator = createOrchestrator({ maxConcurrent: 2 });
  try {
    const { reports } = await orchestrator.execute({
      pattern: 'concurrent',
      scriptPath: script('resize.py'),
      cwd: folder,
      timeoutMs: 60_000,
      items: names.map((name) => ({ id: name, args: [name] })),
    });
    const { run } = await orchestrator.execute({
      pattern: 'fire-and-forget',
      scriptPath: script('clean-up.sh'),
      cwd: folder,
      tracking: { maxAttempts: 3, idempotencyKey: `clean-up of ${folder}` },
    });
    // Only so that there is something to show; a service would go on and ask later.
    const cleanUp = await orchestrator.tracker.wait(run.id);
    return { reports, cleanUp };
  } finally {
    await orchestrator.stop();
  }
}
