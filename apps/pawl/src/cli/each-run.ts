import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import { note, print, printJson } from './output.ts';

interface Change {
  readonly line: string;
  readonly answer: unknown;
}

/**
 * Does something to each of several runs. One that fails is told on stderr, and the others are done all the same.
 * @returns the exit code of the first failure
 */
export async function changeEach(
  ids: readonly string[],
  { json = false }: { readonly json?: boolean },
  change: (id: string) => Promise<Change>,
): Promise<number> {
  const answers: unknown[] = [];
  let exitCode: number = exitCodes.ok;
  for (const id of ids) {
    try {
      const { line, answer } = await change(id);
      if (!json) print(line);
      answers.push(answer);
    } catch (error) {
      // Where nobody answers the rest would fail likewise.
      if (!(error instanceof CommandError) || error.exitCode === exitCodes.unavailable) throw error;
      if (exitCode === exitCodes.ok) exitCode = error.exitCode;
      note(error.message);
    }
  }
  // One id, one answer; several, a list of what was done.
  if (json && ids.length > 1) printJson(answers);
  else if (json && answers.length > 0) printJson(answers[0]);
  return exitCode;
}
