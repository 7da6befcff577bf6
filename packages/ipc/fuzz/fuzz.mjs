// Runs from the sources, so that what is fuzzed is what was just changed.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
const { runFuzzCli } = await import('./cli.ts');
process.exitCode = await runFuzzCli(process.argv.slice(2), {
  newSeed: () => Math.floor(Math.random() * 2 ** 31),
  now: () => performance.now(),
  out: (line) => console.log(line),
  err: (line) => console.error(line),
});
