import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { resolvePoolOptions } from './pool-options.ts';

const worker = new URL('file:///tasks.mjs');

describe('resolvePoolOptions', () => {
  it('fills in the defaults', () => {
    expect(resolvePoolOptions({ worker })).toMatchObject({
      env: {},
      inheritEnv: [],
      cwd: undefined,
      privateFolder: false,
      minWorkers: 1,
      maxWorkers: availableParallelism(),
      spareWorkers: 0,
      runsPerWorker: 1,
      prefetch: 'auto',
      maxRunsPerWorker: Infinity,
      maxWorkerAgeMs: Infinity,
      maxWorkerRssBytes: Infinity,
      recycleJitter: 0.1,
      idleTimeoutMs: 3_600_000,
      maxQueue: 10_000,
      overflow: 'reject',
      ageingMs: 10_000,
      runTimeoutMs: 300_000,
      timeoutFrom: 'start',
      maxCrashes: 3,
      startTimeoutMs: 10_000,
      cancelGraceMs: 5_000,
      killGraceMs: 5_000,
      maxRestarts: 3,
      restartWithinMs: 60_000,
      maxMessageBytes: 67_108_864,
      busyPoll: availableParallelism() > 1,
      heartbeatMs: 5_000,
    });
  });

  it('takes a folder as a path or a URL', () => {
    expect(resolvePoolOptions({ worker, cwd: '/tmp' }).cwd).toBe('/tmp');
    expect(resolvePoolOptions({ worker, cwd: new URL('file:///a%20b/') }).cwd).toBe('/a b/');
  });

  it('takes Infinity where that is no limit', () => {
    const forever = {
      idleTimeoutMs: Infinity,
      maxQueue: Infinity,
      runTimeoutMs: Infinity,
      maxRunsPerWorker: Infinity,
      maxWorkerAgeMs: Infinity,
      maxWorkerRssBytes: Infinity,
      ageingMs: Infinity,
      maxCrashes: Infinity,
    };
    expect(resolvePoolOptions({ worker, ...forever })).toMatchObject(forever);
  });

  const refused: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ worker: 7 }, 'Expected `worker` to be a file URL or a command, got `7` (number).'],
    [{ env: ['A'] }, 'Expected `env` to be an object of strings, got `["A"]` (array).'],
    [{ env: { A: 1 } }, 'Expected `env.A` to be a string, got `1` (number).'],
    [{ inheritEnv: 'A' }, 'Expected `inheritEnv` to be an array of strings, got `"A"` (string).'],
    [{ cwd: 3 }, 'Expected `cwd` to be a path or a file: URL, got `3` (number).'],
    [{ cwd: '' }, 'Expected `cwd` to be a non-empty string, got `""` (string).'],
    [{ privateFolder: 'yes' }, 'Expected `privateFolder` to be true or false, got `"yes"` (string).'],
    [{ execArgv: [1] }, 'Expected `execArgv` to be an array of strings, got `[1]` (array).'],
    [{ python: '' }, 'Expected `python` to be a non-empty string, got `""` (string).'],
    [{ minWorkers: -1 }, 'Expected `minWorkers` to be an integer ≥ 0, got `-1` (number).'],
    [{ maxWorkers: 0 }, 'Expected `maxWorkers` to be an integer ≥ 1, got `0` (number).'],
    [{ maxWorkers: '2' }, 'Expected `maxWorkers` to be an integer ≥ 1, got `"2"` (string).'],
    [{ minWorkers: 9, maxWorkers: 4 }, 'Expected `minWorkers` (9) to be at most `maxWorkers` (4).'],
    [{ spareWorkers: 0.5 }, 'Expected `spareWorkers` to be an integer ≥ 0, got `0.5` (number).'],
    [
      { maxRunsPerWorker: 0 },
      'Expected `maxRunsPerWorker` to be an integer ≥ 1, or Infinity, got `0` (number).',
    ],
    [{ runsPerWorker: 0 }, 'Expected `runsPerWorker` to be an integer ≥ 1, got `0` (number).'],
    [
      { prefetch: true },
      "Expected `prefetch` to be 'auto', false or an integer ≤ 256, got `true` (boolean).",
    ],
    [{ prefetch: 257 }, 'Expected `prefetch` to be an integer from 0 to 256, got `257` (number).'],
    [
      { maxWorkerAgeMs: 0 },
      'Expected `maxWorkerAgeMs` to be milliseconds ≥ 1, or Infinity, got `0` (number).',
    ],
    [
      { maxWorkerRssBytes: '1 GB' },
      'Expected `maxWorkerRssBytes` to be an integer ≥ 1, or Infinity, got `"1 GB"` (string).',
    ],
    [{ balancer: 'roundRobin' }, 'Expected `balancer` to be a function, got `"roundRobin"` (string).'],
    [{ recycleJitter: 2 }, 'Expected `recycleJitter` to be a number from 0 to 1, got `2` (number).'],
    [
      { overflow: 'drop' },
      'Expected `overflow` to be one of `"reject"`, `"wait"`, `"drop-oldest"`, got `"drop"` (string).',
    ],
    [{ ageingMs: 0 }, 'Expected `ageingMs` to be milliseconds ≥ 1, or Infinity, got `0` (number).'],
    [
      { timeoutFrom: 'queue' },
      'Expected `timeoutFrom` to be one of `"start"`, `"submit"`, got `"queue"` (string).',
    ],
    [{ maxCrashes: 0 }, 'Expected `maxCrashes` to be an integer ≥ 1, or Infinity, got `0` (number).'],
    [{ random: 4 }, 'Expected `random` to be a function, got `4` (number).'],
    [
      { idleTimeoutMs: -1 },
      'Expected `idleTimeoutMs` to be milliseconds ≥ 0, or Infinity, got `-1` (number).',
    ],
    [{ maxQueue: -1 }, 'Expected `maxQueue` to be an integer ≥ 0, or Infinity, got `-1` (number).'],
    [
      { runTimeoutMs: '5s' },
      'Expected `runTimeoutMs` to be milliseconds ≥ 0, or Infinity, got `"5s"` (string).',
    ],
    [
      { startTimeoutMs: Infinity },
      'Expected `startTimeoutMs` to be milliseconds ≥ 0, got `Infinity` (number).',
    ],
    [{ cancelGraceMs: Number.NaN }, 'Expected `cancelGraceMs` to be milliseconds ≥ 0, got `NaN` (number).'],
    [{ killGraceMs: false }, 'Expected `killGraceMs` to be milliseconds ≥ 0, got `false` (boolean).'],
    [{ restart: 3 }, 'Expected `options of restart` to be an object, got `3` (number).'],
    [{ restart: { max: 1 } }, 'Unknown option `max` of restart; Known: maxRestarts, withinMs.'],
    [
      { restart: { maxRestarts: -1 } },
      'Expected `restart.maxRestarts` to be an integer ≥ 0, or Infinity, got `-1` (number).',
    ],
    [{ restart: { withinMs: -1 } }, 'Expected `restart.withinMs` to be milliseconds ≥ 0, got `-1` (number).'],
    [{ busyPoll: 'no' }, 'Expected `busyPoll` to be true or false, got `"no"` (string).'],
    [{ maxMessageBytes: 10 }, 'Expected `maxMessageBytes` to be an integer ≥ 1024, got `10` (number).'],
    [
      { heartbeatMs: 999 },
      'Expected `heartbeatMs` to be milliseconds ≥ 1000, or Infinity, got `999` (number).',
    ],
    [{ health: { maxLag: 1 } }, 'Unknown option `maxLag` of health; did you mean `maxLagMs`?'],
    [
      { health: { maxMissedPings: -1 } },
      'Expected `health.maxMissedPings` to be an integer ≥ 0, or Infinity, got `-1` (number).',
    ],
    [
      { health: { maxFailureRate: 2 } },
      'Expected `health.maxFailureRate` to be a number from 0 to 1, got `2` (number).',
    ],
    [{ clock: {} }, 'Expected `clock` to be a Clock, got `{}` (object).'],
    [{ logger: 'console' }, 'Expected `logger` to be a Logger, got `"console"` (string).'],
    [{ maxWorker: 2 }, 'Unknown option `maxWorker` of createPool; did you mean `maxWorkers`?'],
    [{ timeoutMs: 2 }, 'Unknown option `timeoutMs` of createPool; did you mean `runTimeoutMs`?'],
  ];

  it.each(refused)('refuses %j', (wrong, message) => {
    expect(() => resolvePoolOptions({ worker, ...wrong })).toThrow(message);
  });

  it('refuses every option by its name', () => {
    const tested = new Set(refused.flatMap(([wrong]) => Object.keys(wrong)));
    const all = Object.keys(resolvePoolOptions({ worker })).filter(
      (key) => !/^(resolveCommand|restart|maxRestarts|healthLimits)/.test(key),
    );
    expect(all.filter((key) => !tested.has(key))).toEqual([]);
  });
});
