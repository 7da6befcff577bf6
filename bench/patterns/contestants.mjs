// Ways to run a program once, to read what it prints, and to have small work done.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createOutputLog, createOutputLogs, runModule, startModule } from '@pawl/tasks';
import { createPool } from '@pawl/runtime';
import { execa } from 'execa';

const child = (name) => fileURLToPath(new URL(`children/${name}`, import.meta.url));
const JS = child('work.mjs');
const PYTHON = child('work.py');
const ignored = { stdio: ['ignore', 'pipe', 'pipe'] };

async function raw(command, args, onChunk = () => undefined) {
  const started = spawn(command, args, ignored);
  started.stdout.on('data', onChunk);
  started.stderr.on('data', onChunk);
  await once(started, 'close');
}

/** @param {import('@pawl/tasks').Orchestrator} orchestrator */
export const starts = (orchestrator) => ({
  'spawn with pipes': () => raw('/usr/bin/true', []),
  runModule: () => runModule('/usr/bin/true'),
  'orchestrator, simple': () => orchestrator.execute({ scriptPath: '/usr/bin/true' }),
  execa: () => execa('/usr/bin/true', { stdin: 'ignore' }),
});

/** @param {number} bytes */
export const captures = (bytes) => {
  const args = ['-c', String(bytes), '/dev/zero'];
  const head = '/usr/bin/head';
  return {
    'spawn, counted': () => raw(head, args),
    'runModule, 4 MiB kept': () => runModule(head, args),
    'execa, buffer': () => execa(head, args, { stdin: 'ignore', encoding: 'buffer', maxBuffer: Infinity }),
  };
};

const LINE = 'the quick brown fox jumps over the lazy dog, and then it sleeps for a long time';

/** Lines of 80 bytes with their newline. @param {number} bytes @param {string} folder */
export const lines = (bytes, folder) => {
  const args = ['-c', `yes '${LINE}' | head -c ${bytes}`];
  const sh = '/bin/sh';
  const logs = createOutputLogs({ folder });
  const chunk = Buffer.from(`${LINE}\n`.repeat(819));
  return {
    'output log in memory, given chunks': async () => {
      const log = createOutputLog({ id: 'bench' });
      for (let written = 0; written < bytes; written += chunk.length) await log.write('stdout', chunk);
      await log.end();
    },
    'startModule, log in memory': () => startModule(sh, args).result,
    'startModule, log in a file': () => startModule(sh, args, { logs }).result,
    'runModule, onLine': () => runModule(sh, args, { onLine: () => undefined }),
    readline: async () => {
      const started = spawn(sh, args, ignored);
      const reader = createInterface({ input: started.stdout, crlfDelay: Infinity });
      reader.on('line', () => undefined);
      await once(reader, 'close');
    },
    'execa, iterated': async () => {
      for await (const line of execa(sh, args, { stdin: 'ignore', buffer: false })) void line;
    },
  };
};

/** @param {import('@pawl/tasks').Orchestrator} orchestrator */
export const works = (orchestrator) => {
  const input = { a: 1, b: 2 };
  const pool = createPool({ worker: new URL('children/work.mjs', import.meta.url), maxWorkers: 1 });
  const pooled = (scriptPath) => ({ pattern: 'pooled', scriptPath, pooled: { task: 'add', input } });
  return {
    node: {
      'pool.run': () => pool.run('add', input),
      'orchestrator, pooled': () => orchestrator.execute(pooled(JS)),
    },
    unpooled: {
      'runModule, Node': () => runModule(JS, ['1', '2']),
      'runModule, Python': () => runModule(PYTHON, ['1', '2']),
    },
    python: { 'orchestrator, pooled Python': () => orchestrator.execute(pooled(PYTHON)) },
    stop: () => pool.stop(),
  };
};
