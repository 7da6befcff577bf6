import type { Command } from 'commander';
import { readConfig } from '../../config.ts';
import { describeSettings } from '../../settings.ts';
import { holdYoungGeneration } from '../../startup-heap.ts';
import { withExamples } from '../service-command.ts';

interface ServeOptions {
  readonly json?: boolean;
}

export function define(command: Command): void {
  command.option('--json', 'say where it listens as one JSON line, and log JSON on a terminal, too');
  withExamples(command, 'pawl serve', 'PAWL_PORT=8080 PAWL_DATA_DIR=/srv/pawl pawl serve')
    .addHelpText('after', settingsHelp())
    .action(async ({ json = false }: ServeOptions) => {
      // The settings are checked before an HTTP server is loaded.
      const config = readConfig(process.env);
      const letHeapGrow = holdYoungGeneration();
      const { serve } = await import('../../main.ts');
      await serve(config, { json });
      letHeapGrow();
    });
}

function settingsHelp(): string {
  const lines = describeSettings().map(
    ({ name, description, default: fallback }) => `  ${name}\n      ${description} Default: ${fallback}.`,
  );
  return `
Settings are read from the environment, then from the file that PAWL_CONFIG names or config.json in the data folder:
${lines.join('\n')}`;
}
