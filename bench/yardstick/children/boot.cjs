// What happens when the module of a worker is loaded: it is counted, and fails when the check wants that.
const { appendFileSync, existsSync } = require('node:fs');

const scratch = process.env.YARDSTICK_SCRATCH;
appendFileSync(`${scratch}/boots`, `${process.pid}\n`);
if (existsSync(`${scratch}/boot-fails`)) throw new Error('There is no licence for this worker.');
