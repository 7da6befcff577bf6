// A program that uses a pool: `node program.mjs <pool> <kind> <what it does>`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { peers } from '../peers/all.mjs';

const [peer, kind, does] = process.argv.slice(2);
const pool = peers[peer].open({ max: 1 }, kind);
const echoed = await pool.run('echo', 1);
const startsIn = async (file) => {
  while (!existsSync(join(process.env.YARDSTICK_SCRATCH, file))) await sleep(10);
};

if (does === 'stops') {
  await pool.stop();
  console.log(`stopped with ${echoed}`);
} else if (does === 'idles') console.log(`idle with ${echoed}`);
else if (does === 'waits') console.log(`the run gave ${await pool.run('wait', { ms: 1_500 })}`);
else {
  const [task, file] = {
    'idles-on': ['echo'],
    'waits-on': ['hold', 'held.started'],
    'spins-on': ['spin', 'beat'],
  }[does];
  void pool.run(task, { name: 'held' });
  if (file !== undefined) await startsIn(file);
  console.log('ready');
  setInterval(() => {}, 1_000);
}
