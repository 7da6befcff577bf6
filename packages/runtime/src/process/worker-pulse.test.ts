import { PawlError } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { RequestTimeoutError } from '@pawl/ipc';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Pong } from './worker-control.ts';
import { createWorkerHealth } from './worker-health.ts';
import type { WorkerProcess } from './worker-process.ts';
import { startWorkerPulse } from './worker-pulse.ts';
import { Slot } from './worker-slot.ts';

const HEARTBEAT_MS = 1_000;

/** A pulse of one worker, whose pings and CPU time the test decides. */
function setup() {
  const clock = createManualClock();
  const health = createWorkerHealth({ limits: {}, usualMs: () => undefined, clock });
  let cpuMs = 0;
  const pings: { answer(pong: Pong): void; fail(error: Error): void }[] = [];
  const worker: Pick<WorkerProcess, 'ping' | 'cpuMs' | 'isLost'> = {
    isLost: false,
    cpuMs: () => cpuMs,
    ping: () => new Promise((answer, fail) => void pings.push({ answer, fail })),
  };
  const slot = new Slot(worker as WorkerProcess, health, { generation: 0, startedAt: 0, runsLeft: Infinity });
  slot.move('ready');
  const classes: string[] = [];
  const stop = startWorkerPulse({
    clock,
    heartbeatMs: HEARTBEAT_MS,
    slots: () => [slot],
    askAll: true,
    onChecked: () => void classes.push(health.assess([]).class),
  });
  onTestFinished(stop);
  return {
    clock,
    slot,
    pings,
    classes,
    /** A round in which the worker does not answer. @param lateMs how much later than due this process notices */
    missPing: async ({ lateMs = 0, usedCpuMs = 0 } = {}): Promise<void> => {
      // A silent one is asked when its last ping is over.
      while (pings.length === 0) await clock.advance(HEARTBEAT_MS);
      cpuMs += usedCpuMs;
      await clock.advance(HEARTBEAT_MS + lateMs);
      pings.shift()?.fail(new RequestTimeoutError('ping', HEARTBEAT_MS));
      await clock.settle();
    },
  };
}

describe('the pulse of a worker', () => {
  it('finds one unhealthy that answers no three pings and uses no CPU', async () => {
    const { classes, missPing } = setup();
    for (let round = 0; round < 3; round += 1) await missPing();
    expect(classes.at(-1)).toBe('unhealthy');
  });

  it('believes nothing of a silence during which this process itself was held up', async () => {
    const { classes, missPing } = setup();
    for (let round = 0; round < 6; round += 1) await missPing({ lateMs: HEARTBEAT_MS });
    expect(classes).not.toContain('unhealthy');
  });

  it('takes one for alive that is inside of native code and uses the CPU', async () => {
    const { classes, missPing } = setup();
    for (let round = 0; round < 6; round += 1) await missPing({ usedCpuMs: 900 });
    expect(classes).not.toContain('unhealthy');
  });

  it('takes an error for an answer', async () => {
    const { clock, pings, classes, slot } = setup();
    for (let round = 0; round < 4; round += 1) {
      await clock.advance(HEARTBEAT_MS);
      pings.shift()?.fail(new PawlError('It has no such method.', { code: 'REMOTE_ERROR' }));
      await clock.settle();
    }
    expect(classes).not.toContain('unhealthy');
    expect(slot.health.heardAt).toBe(clock.now());
  });

  it('asks nobody who still may answer, and nobody during a run who answers between runs', async () => {
    const { clock, pings, slot } = setup();
    await clock.advance(5 * HEARTBEAT_MS);
    expect(pings).toHaveLength(1);
    pings.shift()?.answer({ pid: 1, rssBytes: 1, lagMs: 0, runsActive: 0 } as Pong);
    await clock.settle();
    Object.defineProperty(slot, 'load', { value: 1 });
    await clock.advance(5 * HEARTBEAT_MS);
    expect(pings).toHaveLength(0);
    slot.answersBesideRuns = true;
    await clock.advance(HEARTBEAT_MS);
    expect(pings).toHaveLength(1);
  });
});
