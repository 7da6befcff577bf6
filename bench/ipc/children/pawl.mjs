import { createConnection, fdTransport } from '@pawl/ipc';

createConnection(fdTransport({ writeFd: 3 }), { methods: { echo: (input) => input } });
