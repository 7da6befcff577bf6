// Long-running, then simple: watches the output of a long run while it is printed, and tells somebody of its end.
import { fileURLToPath } from 'node:url';
import { createOrchestrator } from '@pawl/tasks';

const script = (name: string): string => fileURLToPath(new URL(`scripts/${name}`, import.meta.url));

export async function trainAndNotify(notify: (text: string) => Promise<void> | void): Promise<void> {
  const orchestrator = createOrchestrator();
  try {
    const { run } = await orchestrator.execute({ pattern: 'long-running', scriptPath: script('train.py') });
    for await (const event of run.output.follow()) {
      if (event.type === 'entry' && event.level !== 'INFO') await notify(`${event.level}: ${event.text}`);
    }
    const { exitCode } = await run.result;
    const last = (await run.output.tail()).filter(({ stream }) => stream === 'stdout').at(-1);
    await notify(`ended with exit code ${exitCode}: ${last?.text}`);
  } finally {
    await orchestrator.stop();
  }
}
