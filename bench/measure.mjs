// Measures peers side by side: rounds interleaved, medians with min and max, ratios to the first peer, and the CPU time
// of this process and the peer's child together. Figures of one run compare with each other and with nothing else.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { availableParallelism, cpus, release } from 'node:os';

const HOST = fileURLToPath(new URL('./host.mjs', import.meta.url));

/** Clock ticks a second in /proc/<pid>/stat; 100 on every Linux that Node runs on. */
const TICKS = 100;

/** Before its first round a peer is called this long besides, in milliseconds. */
const WARM_MS = 1_500;
/** How long one round of one peer takes, in milliseconds. */
const ROUND_MS = 600;

/**
 * @typedef {{ call: (input: unknown) => Promise<unknown>, pid?: number, end: () => unknown }} Peer a `pid`, or all the
 * descendants of this process
 * @typedef {{ title: string, inFlight: number, input: unknown, warmMs?: number, roundMs?: number }} Case times of
 * its own where calls are long and few, so that a compiler sees enough of them
 */

/** CPU microseconds that a child has used, or all that descend from this process, or NaN where there is no /proc. */
function childCpu(pid) {
  try {
    return pid === undefined ? cpuBelow(process.pid) : cpuOf(pid);
  } catch {
    return Number.NaN;
  }
}

/** A worker may have been started by a helper: then it is no child of this process. */
function cpuBelow(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.reduce((sum, child) => sum + cpuOf(child) + cpuBelow(child), 0);
}

function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1e6;
}

/** Calls for `forMs`, `inFlight` at a time. */
export async function drive(peer, { inFlight, input }, forMs) {
  const latencies = inFlight === 1 ? [] : undefined;
  let calls = 0;
  const cpuBefore = process.cpuUsage();
  const childBefore = childCpu(peer.pid);
  const from = performance.now();
  const until = from + forMs;
  const lane = async () => {
    for (let at = from; at < until;) {
      await peer.call(input);
      calls += 1;
      const now = performance.now();
      latencies?.push((now - at) * 1_000);
      at = now;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - from) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  latencies?.sort((a, b) => a - b);
  return {
    rate: calls / seconds,
    hostCpu: (user + system) / calls,
    treeCpu: (user + system + childCpu(peer.pid) - childBefore) / calls,
    p50: latencies?.[Math.floor(calls * 0.5)],
    p99: latencies?.[Math.floor(calls * 0.99)],
  };
}

export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/**
 * Runs every case on every peer, `rounds` times, the peers in turn within each round, each in a host process of its own:
 * what one leaves in its heap costs no other.
 * @param {URL} module exports `peers`, an object of functions that make a Peer
 * @param {readonly string[]} names of the peers; the first is the one the others are compared with
 * @param {readonly Case[]} cases
 * @param {{ warmMs?: number, roundMs?: number }} times
 */
export async function measure(
  module,
  names,
  cases,
  rounds = 5,
  { warmMs = WARM_MS, roundMs = ROUND_MS } = {},
) {
  const results = [];
  for (const each of cases) {
    const samples = Object.fromEntries(names.map((name) => [name, []]));
    const hosts = [];
    try {
      for (const name of names) {
        const host = startHost(module, name, each);
        hosts.push(host);
        await host.drive(each.warmMs ?? warmMs);
      }
      for (let round = 0; round < rounds; round += 1) {
        for (const host of hosts) samples[host.name].push(await host.drive(each.roundMs ?? roundMs));
      }
    } finally {
      await Promise.all(hosts.map((host) => host.end()));
    }
    const [first] = names;
    const rows = Object.entries(samples).map(([name, taken]) => {
      const figure = (key) => median(taken.map((sample) => sample[key]));
      const rates = taken.map(({ rate }) => rate);
      return {
        peer: name,
        rate: figure('rate'),
        min: Math.min(...rates),
        max: Math.max(...rates),
        ratio: median(samples[first].map((sample, round) => sample.rate / taken[round].rate)),
        hostCpu: figure('hostCpu'),
        treeCpu: figure('treeCpu'),
        p50: figure('p50'),
        p99: figure('p99'),
      };
    });
    results.push({ title: each.title, rows });
    console.error(`measured: ${each.title}`);
  }
  return results;
}

/** A process that has made one peer, and drives it when told to. */
function startHost(module, name, each) {
  const child = fork(HOST, [module.href, name], { serialization: 'advanced' });
  child.send(each);
  const exited = once(child, 'exit');
  const lost = exited.then(([code]) => {
    throw new Error(`The host of ${name} ended with ${code}.`);
  });
  lost.catch(() => undefined);
  return {
    name,
    async drive(forMs) {
      child.send(forMs);
      const [sample] = await Promise.race([once(child, 'message'), lost]);
      return sample;
    },
    async end() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** The results as Markdown tables. */
export function toMarkdown(results) {
  const [first] = results[0].rows;
  return results
    .map(({ title, rows }) => {
      const latency = rows[0].p50 !== undefined;
      const head = ['', 'calls/s', 'min–max', `${first.peer} ÷ it`, 'CPU µs a call, host', 'with child'];
      if (latency) head.push('p50 µs', 'p99 µs');
      const lines = rows.map((row) => {
        const cells = [
          row.peer,
          whole(row.rate),
          `${whole(row.min)}–${whole(row.max)}`,
          row.ratio.toFixed(2),
        ];
        cells.push(row.hostCpu.toFixed(1), row.treeCpu.toFixed(1));
        if (latency) cells.push(row.p50.toFixed(0), row.p99.toFixed(0));
        return cells;
      });
      return `**${title}**\n\n${[head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}`;
    })
    .join('\n\n');
}

function whole(value) {
  return Math.round(value).toLocaleString('en');
}

/** The machine in one line. */
export function machine() {
  return `Node ${process.versions.node}, ${process.platform} ${release()}, ${availableParallelism()} × ${cpus()[0].model.trim()}`;
}
