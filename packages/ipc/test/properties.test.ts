import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { targets } from '../fuzz/targets.ts';

/** Each input of these is a whole schedule. */
const LONG = ['connection.schedules', 'connection.peer'];

// To replay a failure: `npm run fuzz -w @pawl/ipc -- --target <name> --seed <seed> --path <path>` with what is printed.
describe.each(targets)('$name', ({ name, says, property }) => {
  it(says, { timeout: 60_000 }, async () => {
    await fc.assert(property, { numRuns: LONG.includes(name) ? 150 : 100 });
  });
});
