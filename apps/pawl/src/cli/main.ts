import { reportFailure } from './failure.ts';
import { endOnBrokenPipe } from './output.ts';
import { createProgram, readArguments } from './program.ts';

endOnBrokenPipe();
try {
  await createProgram().parseAsync(readArguments(process.argv.slice(2)), { from: 'user' });
} catch (error) {
  process.exitCode = reportFailure(error);
}
