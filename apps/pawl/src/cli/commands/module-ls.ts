import type { Command } from 'commander';
import { note, print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { formatTable } from '../table.ts';
import { terminalOf } from '../terminal.ts';
import type { z } from 'zod';
import type { modulePage, ModuleView } from '../../api/module-schemas.ts';

export function define(command: Command): void {
  withExamples(serviceCommand(command), 'pawl module ls').action(async (options: ServiceOptions) => {
    const answer = await clientOf(options).get<z.infer<typeof modulePage>>('/v1/modules');
    if (options.json === true) {
      printJson(answer);
      return;
    }
    for (const { file, message } of answer.faults) note(`${file}: ${message}`);
    if (answer.modules.length === 0) {
      note('there are no modules. PAWL_MODULES names a file or folder that describes some.');
      return;
    }
    const columns = [
      { title: 'MODULE', value: ({ id }: ModuleView) => id },
      { title: 'NAME', value: ({ name }: ModuleView) => name, shrinks: true },
      { title: 'RUNS', value: ({ runs }: ModuleView) => String(runs), align: 'right' },
      { title: 'SUCCESS', value: ({ successRate }: ModuleView) => formatShare(successRate), align: 'right' },
      { title: 'LAST', value: ({ lastRun }: ModuleView) => lastRun?.state ?? '-' },
      { title: 'DESCRIPTION', value: ({ description }: ModuleView) => description ?? '', shrinks: true },
    ] as const;
    print(...formatTable(columns, answer.modules, terminalOf(process.stdout)));
  });
}

function formatShare(share: number | null): string {
  return share === null ? '-' : `${Math.round(share * 100)} %`;
}
