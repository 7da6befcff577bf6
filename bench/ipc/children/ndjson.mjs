// Newline-delimited JSON as one writes it first: a line in, a write out.
import { createInterface } from 'node:readline';

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, params } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify({ id, result: params })}\n`);
});
