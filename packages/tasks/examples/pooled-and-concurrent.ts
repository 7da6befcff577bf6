// Pooled and concurrent: many small calls, each done by a warm worker, so that none pays for a start.
import { fileURLToPath } from 'node:url';
import { createOrchestrator } from '@pawl/tasks';

const scriptPath = fileURLToPath(new URL('scripts/words.mjs', import.meta.url));

export async function countWords(texts: readonly string[]): Promise<readonly unknown[]> {
  const orchestrator = createOrchestrator({ pool: { maxWorkers: 2 } });
  try {
    const counts = await Promise.all(
      texts.map(async (text) => {
        const { value } = await orchestrator.execute({
          pattern: 'pooled',
          scriptPath,
          pooled: { task: 'count', input: { text } },
        });
        return value;
      }),
    );
    return counts;
  } finally {
    await orchestrator.stop();
  }
}
