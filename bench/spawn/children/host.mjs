// A host of a given size that starts processes in a given way and prints what that cost it.
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createProcessManager } from '@pawl/runtime';
import { median } from '../../measure.mjs';

const [way, extraMb] = process.argv.slice(2);
const STARTS = 30;

const ballast = Array.from({ length: Number(extraMb) }, (_, index) => Buffer.alloc(1024 * 1024, index));
const manager = createProcessManager({ spawnHelper: way === 'helper' });

async function runTrue() {
  const handle = await manager.spawn({ command: 'true' });
  handle.stdout.resume();
  handle.stderr.resume();
  await handle.exited;
}

/** The longest time within `work` that a turn of the event loop took. */
async function longestStall(work) {
  let longest = 0;
  let last = performance.now();
  let running = true;
  const tick = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (running) setImmediate(tick);
  };
  setImmediate(tick);
  await work();
  running = false;
  return longest;
}

function helperPid() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .find((pid) => {
      try {
        const isChild = readFileSync(`/proc/${pid}/status`, 'utf8').includes(`PPid:\t${process.pid}\n`);
        return isChild && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('spawn-helper');
      } catch {
        return false;
      }
    });
}

/** Unique memory of a process in MB: what it would give back. */
function uniqueMb(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kb = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? Number.NaN);
  return (kb('Private_Clean') + kb('Private_Dirty')) / 1024;
}

for (let i = 0; i < 5; i += 1) await runTrue();
const spawns = [];
const stalls = [];
for (let i = 0; i < STARTS; i += 1) {
  const from = performance.now();
  stalls.push(await longestStall(runTrue));
  spawns.push(performance.now() - from);
}

const from = performance.now();
await Promise.all(Array.from({ length: 8 }, runTrue));
const togetherMs = performance.now() - from;

const MEGABYTES = 200;
const writer = await manager.spawn({ command: 'head', args: ['-c', `${MEGABYTES}M`, '/dev/zero'] });
writer.stderr.resume();
const readFrom = performance.now();
writer.stdout.resume();
await once(writer.stdout, 'end');
const mbPerSecond = MEGABYTES / ((performance.now() - readFrom) / 1_000);

console.log(
  JSON.stringify({
    rssMb: process.memoryUsage.rss() / 1024 / 1024,
    ballastMb: ballast.length,
    spawnMs: median(spawns),
    stallMs: median(stalls),
    togetherMs,
    mbPerSecond,
    helperMb: way === 'helper' ? uniqueMb(helperPid()) : 0,
  }),
);
await manager.stop();
