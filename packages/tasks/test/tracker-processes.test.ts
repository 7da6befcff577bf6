import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createEventMonitor, createLeakCheck } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMemoryRunStore, createRunTracker, processTask, type RunTracker } from '../src/index.ts';
import type { RunStore, RunTrackerOptions, TrackerEvents } from '../src/index.ts';
import { endAtLast, isAlive, untilGone } from './setup-processes.ts';

const FAMILY = fileURLToPath(new URL('fixtures/family.sh', import.meta.url));

interface Setup {
  readonly tracker: RunTracker;
  /** Resolves with the pids of a family once all three are up. */
  readonly family: Promise<readonly number[]>;
  readonly ended: (id: string) => Promise<TrackerEvents['run:ended']>;
}

/** A tracker with the task `sh`, which runs a script, and `family`, which starts three processes. */
function setup(options: Partial<RunTrackerOptions> = {}): Setup {
  let printed = '';
  let tell: (pids: readonly number[]) => void;
  const family = new Promise<readonly number[]>((resolve) => (tell = resolve));
  const tracker = createRunTracker({
    store: createMemoryRunStore(),
    killGraceMs: 200,
    abandonAfterMs: 5_000,
    ...options,
    tasks: {
      sh: processTask((script: string) => ({ command: 'sh', args: ['-c', script] })),
      nowhere: processTask({ command: 'pawl-no-such-program' }),
      family: processTask((how: string) => ({ command: 'sh', args: [FAMILY, how] }), {
        onOutput: (_stream, chunk) => {
          printed += chunk.toString();
          const pids = [...printed.matchAll(/ (\d+)$/gm)].map(([, pid]) => Number(pid));
          if (pids.length === 3) tell(pids);
          for (const pid of pids) endAtLast(pid);
        },
      }),
      ...options.tasks,
    },
  });
  const events = createEventMonitor(tracker);
  onTestFinished(async () => {
    events[Symbol.dispose]();
    await tracker.stop({ graceMs: 0 });
  });
  return { tracker, family, ended: (id) => events.next('run:ended', ({ run }) => run.id === id) };
}

describe('a run that is a process', () => {
  it('succeeds with exit code 0 and the end of what it printed', async () => {
    const { tracker } = setup();
    const { id } = await tracker.start({ task: 'sh', input: 'echo héllo; echo oops >&2' });
    const run = await tracker.wait(id);
    expect(run).toMatchObject({
      state: 'succeeded',
      result: { exitCode: 0, stdout: 'héllo\n', stderr: 'oops\n' },
    });
    expect(run.attempts[0]?.process).toEqual({
      pid: expect.any(Number) as number,
      startTime: expect.stringMatching(/^\d+$/) as string,
    });
  });

  it('loses nothing of what a quick one prints while a slow store takes note of it', async () => {
    const memory = createMemoryRunStore();
    const store: RunStore = {
      ...memory,
      async noteProcess(...noted) {
        await wait(50);
        await memory.noteProcess(...noted);
      },
    };
    const { tracker } = setup({ store });
    const { id } = await tracker.start({ task: 'sh', input: 'echo quick' });
    const run = await tracker.wait(id);
    expect(run).toMatchObject({ result: { stdout: 'quick\n' } });
    // It is noted all the same.
    expect(run.attempts[0]?.process?.pid).toBeGreaterThan(0);
  });

  it.each([
    ['echo first; echo no disk >&2; exit 3', /^`sh` \(pid \d+\) exited with code 3: no disk\.$/],
    ['kill -SEGV $$', /^`sh` \(pid \d+\) was ended by SIGSEGV\.$/],
    ['exit 255', /^`sh` \(pid \d+\) exited with code 255\.$/],
  ])('fails when it ends in any other way: %s', async (script, message) => {
    const { tracker } = setup();
    const { id } = await tracker.start({ task: 'sh', input: script });
    expect(await tracker.wait(id)).toMatchObject({
      state: 'failed',
      error: { code: 'PROCESS_EXIT', message: expect.stringMatching(message) as string },
    });
  });

  it('fails when there is no such program', async () => {
    const { tracker } = setup();
    const { id } = await tracker.start({ task: 'nowhere' });
    expect(await tracker.wait(id)).toMatchObject({
      state: 'failed',
      error: { code: 'PROCESS_START_FAILED' },
    });
  });

  it('keeps the end of a long output, and is not slowed down by it', async () => {
    const { tracker } = setup();
    const { id } = await tracker.start({
      task: 'sh',
      input: 'head -c 30000000 /dev/zero | tr "\\0" x; echo; echo end',
    });
    const run = await tracker.wait(id);
    const { stdout } = run.result as { readonly stdout: string };
    expect(stdout).toHaveLength(16_384);
    expect(stdout.endsWith('x\nend\n')).toBe(true);
  });

  it('waits with its output while its reader asks it to, and loses none of it', async () => {
    let bytes = 0;
    let most = 0;
    let waiting = 0;
    const { tracker } = setup({
      tasks: {
        slow: processTask(
          { command: 'sh', args: ['-c', 'head -c 3000000 /dev/zero | tr "\\0" x'] },
          {
            onOutput: async (_stream, chunk) => {
              waiting += 1;
              most = Math.max(most, waiting);
              await new Promise((resolve) => void setImmediate(resolve));
              waiting -= 1;
              bytes += chunk.length;
            },
          },
        ),
      },
    });
    const { id } = await tracker.start({ task: 'slow' });
    expect(await tracker.wait(id)).toMatchObject({ state: 'succeeded' });
    expect(bytes).toBe(3_000_000);
    // Once it has ended, Node reads what is left in its pipe.
    expect(most).toBeLessThanOrEqual(2);
  });

  it.each(['polite', 'stubborn'])(
    'that is cancelled is gone with all it started, also what left its group: %s',
    async (how) => {
      const { tracker, family } = setup({ retry: { maxAttempts: 5 } });
      const { id } = await tracker.start({ task: 'family', input: how });
      const pids = await family;
      expect(pids.map(isAlive)).toEqual([true, true, true]);
      const run = await tracker.cancel(id);
      expect(run).toMatchObject({ state: 'cancelled', attempts: [{ outcome: 'cancelled' }] });
      // Nobody is waited for after the run is over.
      expect(pids.filter(isAlive)).toEqual([]);
      expect(await tracker.counts()).toMatchObject({ cancelled: 1, queued: 0, running: 0 });
    },
  );

  it('that takes too long is timed out, and gone', async () => {
    const { tracker, family } = setup();
    const { id } = await tracker.start({ task: 'family', input: 'polite', timeoutMs: 400 });
    const run = await tracker.wait(id);
    expect(run).toMatchObject({ state: 'timed-out', error: { code: 'RUN_TIMEOUT' } });
    await untilGone(await family);
  });

  it('is ended when the code that started it ends, also if that did not wait for it', async () => {
    const started: Promise<{ readonly pid: number }>[] = [];
    const tracker = createRunTracker({
      store: createMemoryRunStore(),
      killGraceMs: 0,
      tasks: {
        hasty: (_input, context) => {
          started.push(context.spawn({ command: 'sleep', args: ['300'] }));
        },
        leaving: async (_input, context) => {
          started.push(context.spawn({ command: 'sleep', args: ['300'] }));
          await started.at(-1);
        },
      },
    });
    onTestFinished(async () => void (await tracker.stop({ graceMs: 0 })));
    for (const task of ['hasty', 'leaving']) {
      const { id } = await tracker.start({ task });
      expect((await tracker.wait(id)).state).toBe('succeeded');
    }
    const pids = (await Promise.all(started)).map(({ pid }) => pid);
    expect(pids).toHaveLength(2);
    await untilGone(pids);
  });

  it('leaves nothing behind once the tracker has stopped', async () => {
    const leaks = createLeakCheck();
    const tracker = createRunTracker({
      store: createMemoryRunStore(),
      tasks: { sh: processTask({ command: 'sh', args: ['-c', 'echo done; sleep 0.05'] }) },
    });
    for (let index = 0; index < 5; index += 1) {
      await tracker.start({ task: 'sh', timeoutMs: 60_000, deadlineMs: 60_000 });
    }
    await tracker.start({ task: 'sh', delayMs: 3_600_000 });
    await tracker.start({ task: 'sh', delayMs: 100 }).then(({ id }) => tracker.cancel(id));
    await tracker.stop();
    await leaks.assertNoLeak();
  });

  it('is ended by a stop that does not wait for it, and queued again', async () => {
    const store = createMemoryRunStore();
    const { tracker, family } = setup({ store });
    const { id } = await tracker.start({ task: 'family', input: 'polite' });
    const pids = await family;
    expect(await tracker.stop({ graceMs: 0 })).toEqual({ drained: false, orphaned: [id] });
    expect(pids.filter(isAlive)).toEqual([]);
    const next = setup({ store });
    await next.tracker.start();
    await next.family;
    expect(await next.tracker.cancel(id)).toMatchObject({ state: 'cancelled', failures: 0, fence: 2 });
  });
});
