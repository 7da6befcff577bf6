import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isAlive, processesWith } from '../processes.mjs';

const program = fileURLToPath(new URL('../children/program.mjs', import.meta.url));

/** A program of its own that uses the pool. */
function startProgram({ peer, kind }, does) {
  const child = spawn(process.execPath, [program, peer.name, kind, does], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const exited = once(child, 'exit');
  return { child, exited, output: () => output };
}

/** All processes of this check but this one, and without those that run no JavaScript any more. */
const left = ({ scratch }) => processesWith(`YARDSTICK_SCRATCH=${scratch.folder}`);

export const host = {
  theme: 'The program around a pool',
  checks: [
    {
      id: 'host-nothing-left',
      rule: 'After the end of the pool no process is left, and the program ends by itself.',
      source: '5.75',
      limitMs: 25_000,
      async run(t) {
        const { exited, output } = startProgram(t, 'stops');
        await t.fulfils(exited, 'the program', 12_000);
        t.ensure(output().includes('stopped with 1'), `it said "${output()}"`);
        await t.until(() => left(t).length === 0, 'processes were left', 3_000);
      },
    },
    {
      id: 'host-ends',
      rule: 'A program with an idle pool that it did not stop ends by itself.',
      source: '5.72',
      limitMs: 20_000,
      async run(t) {
        const { exited, output } = startProgram(t, 'idles');
        await t.fulfils(exited, 'the program', 10_000);
        t.ensure(output().includes('idle with 1'), `it said "${output()}"`);
      },
    },
    {
      id: 'host-stays',
      rule: 'A program does not end while a run is pending.',
      source: '5.72',
      limitMs: 20_000,
      async run(t) {
        const { exited, output } = startProgram(t, 'waits');
        await t
          .fulfils(
            exited.then(() => undefined),
            'the program',
            12_000,
          )
          .catch(() => undefined);
        t.ensure(/the run gave \d/.test(output()), 'it ended before');
      },
    },
    ...[
      ['idle', 'idle workers', 'idles-on'],
      ['waiting', 'workers whose task waits', 'waits-on'],
      ['spinning', 'workers whose task never lets go of its thread', 'spins-on'],
    ].map(([name, whose, does]) => ({
      id: `host-killed-${name}`,
      rule: `When the program is killed, ${whose} are gone within three seconds.`,
      source: '3.3',
      limitMs: 25_000,
      async run(t) {
        const { child, exited, output } = startProgram(t, does);
        await t.until(() => output().includes('ready'), 'the program did not come so far', 10_000);
        child.kill('SIGKILL');
        await exited;
        await t.until(() => left(t).every((pid) => !isAlive(pid)), 'workers were left', 3_000);
      },
    })),
  ],
};
