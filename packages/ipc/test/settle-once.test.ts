import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Random, seededRandom, sleep, systemClock } from '@pawl/core';
import { createLeakCheck } from '@pawl/core/testing';
import type { Connection } from '@pawl/ipc';
import { describe, expect, it } from 'vitest';
import { type Child, startChild } from './child.ts';

const ROUNDS = 250;
const AT_A_TIME = 3;
const rawWorker = fileURLToPath(new URL('fixtures/raw_worker.py', import.meta.url));
const hasPython = spawnSync('python3', ['--version']).status === 0;

const wait = (ms: number): Promise<void> => sleep(systemClock, ms);
/** Whether `promise` settles in time. */
async function isSettledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const late = new AbortController();
  const timer = sleep(systemClock, ms, { signal: late.signal }).then(
    () => false,
    () => false,
  );
  const settled = await Promise.race([promise.then(() => true), timer]);
  late.abort();
  return settled;
}

const isPid = (pid: number | undefined): pid is number => pid !== undefined;

/** How a worker, or its host, comes to its end. Some leave a process behind, which the disposal of the child ends. */
const FATES: Readonly<Record<string, (child: Child) => unknown>> = {
  'exits 0': ({ connection }) => connection.notify('exit', 0),
  'exits 3': ({ connection }) => connection.notify('exit', 3),
  'kills itself': ({ connection }) => connection.notify('kill'),
  'is killed': ({ process: { pid } }) => isPid(pid) && process.kill(pid, 'SIGKILL'),
  'is terminated': ({ process: { pid } }) => isPid(pid) && process.kill(pid, 'SIGTERM'),
  'hangs, until its host closes': async ({ process: { pid }, connection }) => {
    if (isPid(pid)) process.kill(pid, 'SIGSTOP');
    await wait(5);
    // Not awaited: what waits for a stopped process is taken by nobody.
    void connection.close();
  },
  'closes its pipe and lives on': ({ connection }) => connection.notify('closeChannel'),
  'writes garbage and exits': async ({ connection }) => {
    await connection.notify('garbage');
    await connection.notify('exit', 0);
  },
  'exits in the middle of an answer': ({ connection }) => connection.call('cutAnswer').response,
  'floods and exits': async ({ connection }) => {
    const flood = connection.call('flood', { count: 20, bytes: 20_000 });
    await connection.notify('exit', 0);
    return flood.response;
  },
  'is left by its host': ({ connection }) => connection.close(),
  'loses its stdin': ({ process: child }) => child.stdin?.destroy(),
};

interface Tracked {
  readonly what: string;
  settled: number;
  outcome: unknown;
  afterwards: number;
}

/** One request of a random kind, with a random time limit or abort, and all that is seen of it. */
function ask(connection: Connection, random: Random): Tracked {
  const int = (below: number): number => Math.floor(random() * below);
  const kinds: readonly (readonly [method: string, params: unknown])[] = [
    ['echo', int(1_000)],
    ['later', int(30)],
    ['twice', int(1_000)],
    ['big', int(300_000)],
    ['flood', { count: int(10), bytes: int(10_000) }],
    ['nothing', null],
  ];
  const [method, params] = kinds[int(kinds.length)] ?? ['echo', 0];
  const tracked: Tracked = {
    what: `${method} ${JSON.stringify(params)}`,
    settled: 0,
    outcome: undefined,
    afterwards: 0,
  };
  const signal = random() < 0.2 ? AbortSignal.timeout(int(30)) : undefined;
  const response = connection.request(method, params, {
    signal,
    ...(random() < 0.2 ? { timeoutMs: int(30) } : {}),
    onNotification: () => (tracked.afterwards += tracked.settled),
  });
  const settle = (outcome: unknown): void => {
    tracked.settled += 1;
    tracked.outcome = outcome;
  };
  response.then(
    (result) =>
      settle(isRight(method, params, result) ? 'right' : `wrong: ${JSON.stringify(result).slice(0, 80)}`),
    (error: unknown) => settle((error as { readonly code: unknown }).code),
  );
  return tracked;
}

function isRight(method: string, params: unknown, result: unknown): boolean {
  if (method === 'big') return typeof result === 'string' && result.length === params;
  if (method === 'flood') return result === (params as { readonly count: number }).count;
  return method !== 'nothing' && result === params;
}

async function round(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const fates = Object.keys(FATES);
  const fate = fates[Math.floor(random() * fates.length)] ?? '';
  const about = `PAWL_SEED=${seed}: a worker that ${fate}`;
  await using child = startChild({ command: ['python3', '-I', '-S', rawWorker], keepsPrints: true });
  const { connection } = child;
  const requests: Tracked[] = [];
  const count = Math.floor(random() * 15);
  const meetsItsFate = Math.floor(random() * (count + 1));
  for (let n = 0; n <= count; n += 1) {
    if (n === meetsItsFate) void Promise.resolve(FATES[fate]?.(child)).catch(() => undefined);
    requests.push(ask(connection, random));
    if (random() < 0.4) await wait(random() * 12);
  }
  expect(await isSettledWithin(connection.closed, 10_000), `${about}: the connection lives on`).toBe(true);
  await wait(0);
  for (const { what, settled, outcome, afterwards } of requests) {
    expect(settled, `${about}: ${what}`).toBe(1);
    expect(afterwards, `${about}: ${what}`).toBe(0);
    // 23: an `AbortSignal.timeout` aborts with a DOMException of that code.
    expect(['right', 'CONNECTION_CLOSED', 'REQUEST_TIMEOUT', 23], `${about}: ${what}`).toContain(outcome);
  }
  expect(connection.openRequests, about).toBe(0);
  await expect(connection.request('echo'), about).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
}

describe.skipIf(!hasPython)('worker processes that end at random moments', () => {
  // PAWL_SEED=<n> replays one round, as far as the timing of processes can be replayed.
  const given = process.env['PAWL_SEED'];
  const seeds =
    given === undefined
      ? Array.from({ length: ROUNDS }, (_, n) => Math.floor(Math.random() * 1e9) + n)
      : [Number(given)];

  it('leave each request settled exactly once, and nothing behind', { timeout: 120_000 }, async () => {
    const leaks = createLeakCheck();
    const queue = [...seeds];
    const work = async (): Promise<void> => {
      for (let seed = queue.pop(); seed !== undefined; seed = queue.pop()) await round(seed);
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    await leaks.assertNoLeak();
  });
});
