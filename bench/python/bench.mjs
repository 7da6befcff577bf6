// `npm run bench:python`: a Python program from request to result, in a sandbox of its own, side by side with a `python3`
// started for it without one. Rounds interleaved, medians. `--json` prints the figures instead of the tables.
import { spawn } from 'node:child_process';
import { createPythonRunner } from '@pawl/python';
import { findPython } from '@pawl/runtime';
import { machine, median } from '../measure.mjs';

const ROUNDS = 5;
const HELLO = "print('Hello World')";
const ADD = 'def add(a, b):\n    return a + b\n';
const TWO_TESTS = `import unittest, starter
class Tests(unittest.TestCase):
    def test_numbers(self): self.assertEqual(starter.add(1, 2), 3)
    def test_texts(self): self.assertEqual(starter.add('a', 'b'), 'ab')
`;
const TWO_TESTS_INSIDE = `${ADD}import unittest
class Tests(unittest.TestCase):
    def test_numbers(self): self.assertEqual(add(1, 2), 3)
    def test_texts(self): self.assertEqual(add('a', 'b'), 'ab')
unittest.main()
`;

const runner = createPythonRunner({ maxConcurrent: 4, warm: 4 });
const { kind, python } = await runner.sandboxReport();

/** Starts an interpreter for one program, as services without a sandbox do. */
function cold(code, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(python, [...args, '-c', code], { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.resume();
    child.once('close', (exitCode) =>
      exitCode === 0 ? resolve(Buffer.concat(output).toString()) : reject(new Error(`exit code ${exitCode}`)),
    );
  });
}

async function sandboxed(request) {
  const result = await runner.execute(request);
  if (!result.success) throw new Error(result.errors ?? 'no success');
  return result.output;
}

const cases = [
  {
    title: 'Hello World',
    peers: {
      [`@pawl/python (${kind})`]: () => sandboxed({ code: HELLO }),
      'cold python3 -u, no sandbox': () => cold(HELLO, ['-u']),
      'cold python3 -I -S, no sandbox': () => cold(HELLO, ['-I', '-S']),
    },
  },
  {
    title: 'two unittest tests',
    peers: {
      [`@pawl/python (${kind})`]: () => sandboxed({ code: ADD, testCode: TWO_TESTS }),
      'cold python3 -u, no sandbox, tests in the program': () => cold(TWO_TESTS_INSIDE, ['-u']),
    },
  },
];

/** Makes `calls` calls, `inFlight` at a time. */
async function drive(call, calls, inFlight) {
  const latencies = [];
  let started = 0;
  const lane = async () => {
    while (started < calls) {
      started += 1;
      const from = performance.now();
      await call();
      latencies.push(performance.now() - from);
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - from) / 1_000;
  latencies.sort((a, b) => a - b);
  const quantile = (share) => latencies[Math.floor(latencies.length * share)];
  return { rate: calls / seconds, p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) };
}

const results = [];
for (const { title, peers } of cases) {
  for (const inFlight of [1, 4]) {
    const samples = Object.fromEntries(Object.keys(peers).map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [name, call] of Object.entries(peers)) {
        await drive(call, 20, inFlight);
        samples[name].push(await drive(call, 60 * inFlight, inFlight));
      }
    }
    for (const [name, taken] of Object.entries(samples)) {
      const figure = (key) => median(taken.map((sample) => sample[key]));
      results.push({
        title: `${title}, ${inFlight} in flight`,
        name,
        rate: figure('rate'),
        p50: figure('p50'),
        p95: figure('p95'),
        p99: figure('p99'),
      });
    }
  }
}
await runner.stop();

if (process.argv.includes('--json')) console.log(JSON.stringify({ machine: machine(), results }, null, 2));
else {
  console.log(`${machine()}; Python at ${python}; medians of ${ROUNDS} interleaved rounds, milliseconds.`);
  let title = '';
  for (const row of results) {
    if (row.title !== title) {
      title = row.title;
      console.log(`\n### ${title}\n\n|  | runs/s | p50 | p95 | p99 |\n| --- | --- | --- | --- | --- |`);
    }
    const figures = [row.rate.toFixed(0), row.p50.toFixed(1), row.p95.toFixed(1), row.p99.toFixed(1)];
    console.log(`| ${row.name} | ${figures.join(' | ')} |`);
  }
  const { version } = await findPython(python);
  console.log(`\nPython ${version}.`);
}
