import { createConnection, fdTransport } from '@pawl/ipc';
import { echo } from './tasks.mjs';

createConnection(fdTransport(), { methods: { run: ({ input }) => echo(input) } });
