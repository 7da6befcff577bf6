import type { Command } from 'commander';
import { complete } from '../complete.ts';
import { print } from '../output.ts';
import { createProgram } from '../program.ts';
import { clientOf } from '../service-command.ts';
import { toOneLine } from '../text-width.ts';

export function define(command: Command): void {
  command
    .argument('[words...]', 'what is typed after pawl, behind --; the last word is the one to complete')
    .action(async (words: readonly string[]) => {
      const candidates = await complete(createProgram(), words, clientOf({}));
      print(...candidates.map(({ value, description }) => `${value}\t${toOneLine(description)}`));
    });
}
