import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createDeferred } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { startHeartbeat } from '@pawl/ipc';
import { describe, expect, it } from 'vitest';
import { startChild } from './child.ts';

const rawWorker = fileURLToPath(new URL('fixtures/raw_worker.py', import.meta.url));
const hasPython = spawnSync('python3', ['--version']).status === 0;

describe.skipIf(!hasPython)('the heartbeat of a worker process', () => {
  it('goes on as long as the process answers, and tells when it hangs', async () => {
    await using child = startChild({ command: ['python3', '-I', '-S', rawWorker] });
    const clock = createManualClock();
    let pong = createDeferred<unknown>();
    const unresponsive: number[] = [];
    const peer = {
      framesReceived: 0,
      async request(method: string): Promise<unknown> {
        const answer = await child.connection.request('echo', method);
        peer.framesReceived += 1;
        return answer;
      },
    };
    const heartbeat = startHeartbeat(peer, {
      intervalMs: 5_000,
      clock,
      onPong: (result) => pong.resolve(result),
      onUnresponsive: ({ missed }) => unresponsive.push(missed),
    });
    for (let round = 0; round < 3; round += 1) {
      pong = createDeferred();
      await clock.advance(5_000);
      expect(await pong.promise).toBe('ping');
    }
    child.process.kill('SIGSTOP');
    await clock.advance(60_000);
    expect(unresponsive).toEqual([3]);
    expect(clock.pendingTimers).toBe(0);
    heartbeat.stop();
  });

  it('ends with the process', async () => {
    await using child = startChild({ command: ['python3', '-I', '-S', rawWorker] });
    const clock = createManualClock();
    const peer = {
      framesReceived: 0,
      request: (method: string) => child.connection.request(method === 'ping' ? 'hang' : method),
    };
    startHeartbeat(peer, {
      intervalMs: 5_000,
      clock,
      onUnresponsive: () => expect.unreachable('it has not hung'),
    });
    await clock.advance(5_000);
    child.process.kill('SIGKILL');
    await child.connection.closed;
    await clock.advance(60_000);
    expect(clock.pendingTimers).toBe(0);
  });
});
