import type { Command } from 'commander';
import type { ExerciseView } from '../../api/exercise-schemas.ts';
import { route } from '../client.ts';
import { print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { formatFields } from '../table.ts';
import { terminalOf } from '../terminal.ts';

export function define(command: Command): void {
  command.argument('<exercise>', 'the id of an exercise');
  withExamples(
    serviceCommand(command),
    'pawl exercise show greeting',
    'pawl exec my_greeting.py --exercise greeting',
  ).action(async (id: string, options: ServiceOptions) => {
    const exercise = await clientOf(options).get<ExerciseView>(route`/v1/exercises/${id}`);
    if (options.json === true) printJson(exercise);
    else print(...describe(exercise));
  });
}

function describe({ id, title, description, starterCode }: ExerciseView): readonly string[] {
  const fields = [
    ['exercise', id],
    ['title', title],
    ['description', description],
  ] as const;
  return [...formatFields(fields, terminalOf(process.stdout)), '', starterCode.trimEnd()];
}
