import { echo } from './tasks.mjs';

process.on('message', ({ id, input }) => process.send({ id, result: echo(input) }));
