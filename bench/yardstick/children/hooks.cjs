// What a worker does before its first task and after its last.
const { appendFileSync, existsSync } = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');

const scratch = process.env.YARDSTICK_SCRATCH;
let isBooted = false;

exports.boot = async function boot() {
  await sleep(400);
  isBooted = true;
};
exports.isBooted = () => isBooted;

exports.tearDown = async function tearDown() {
  appendFileSync(`${scratch}/torn-down`, `${process.pid}\n`);
  if (existsSync(`${scratch}/teardown-hangs`)) await new Promise(() => setInterval(() => {}, 1_000));
};
