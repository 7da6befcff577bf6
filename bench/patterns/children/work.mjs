// The same work as a file of functions, for warm workers, and as a script, for a process of its own.
import { argv } from 'node:process';

export function add({ a, b }) {
  return a + b;
}

if (argv[2] !== undefined) console.log(add({ a: Number(argv[2]), b: Number(argv[3]) }));
