import type { Command } from 'commander';
import type { z } from 'zod';
import type { exerciseList } from '../../api/exercise-schemas.ts';
import { note, print, printJson } from '../output.ts';
import { clientOf, serviceCommand, type ServiceOptions, withExamples } from '../service-command.ts';
import { formatTable } from '../table.ts';
import { terminalOf } from '../terminal.ts';

type ExerciseList = z.infer<typeof exerciseList>;
type Exercise = ExerciseList['exercises'][number];

const COLUMNS = [
  { title: 'EXERCISE', value: ({ id }: Exercise) => id },
  { title: 'TITLE', value: ({ title }: Exercise) => title, shrinks: true },
  { title: 'DESCRIPTION', value: ({ description }: Exercise) => description, shrinks: true },
] as const;

export function define(command: Command): void {
  withExamples(serviceCommand(command), 'pawl exercise ls').action(async (options: ServiceOptions) => {
    const answer = await clientOf(options).get<ExerciseList>('/v1/exercises');
    if (options.json === true) printJson(answer);
    else if (answer.exercises.length === 0) note('there are no exercises. PAWL_EXERCISES names a folder.');
    else print(...formatTable(COLUMNS, answer.exercises, terminalOf(process.stdout)));
  });
}
